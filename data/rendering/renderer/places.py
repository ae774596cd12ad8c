"""Places in the open air: what is underfoot, what closes the view, where a bird can sit."""

from . import outdoors, stage
from .shots import between, choose

# --- underfoot ------------------------------------------------------------------------------


def pavement_ground():
    """A street or yard."""
    outdoors.ground(choose("paving", "paving", "paving", "asphalt", "concrete", "gravel"), 40, 40)


def terrace_ground():
    """A terrace: slabs, boards or gravel."""
    kind = choose("paving", "paving", "deck", "deck", "gravel", "concrete")
    if kind == "deck":
        outdoors.ground("soil", 40, 40, (0, 2, -0.05))
        outdoors.timber_deck()
    else:
        outdoors.ground(kind, 40, 40)


def garden_ground():
    """A lawn, a gravel path or bare earth with grass."""
    kind = choose("lawn", "lawn", "lawn", "gravel", "soil")
    outdoors.ground(kind, 40, 40)
    if kind == "lawn":
        outdoors.grass((0, 1.4, 0), 3.6, 3.4, between(0.03, 0.07), 18000)
    elif kind == "soil":
        outdoors.grass((0, 1.4, 0), 3.6, 3.4, between(0.04, 0.08), 5000)
    if stage.chance(0.3):
        outdoors.fallen_leaves((0, 1.4, 0.02), 1.4, 60)


# --- behind ---------------------------------------------------------------------------------


def house_front(distance):
    """The front of a house or shop, with what stands and grows before it."""
    outdoors.facade((0, distance, 0), 0, 12.0, 4.2)
    side = choose(-1, 1)
    for reach in (side, -side):
        if stage.chance(0.35):
            spot = (reach * between(1.3, 2.0), distance - between(0.3, 0.45), 0)
            thing = choose("planter", "crates", "bin", "post", "can")
            if thing == "planter":
                outdoors.planter_box(spot)
            elif thing == "crates":
                outdoors.crates(spot, between(-0.3, 0.3))
            elif thing == "bin":
                outdoors.dustbin(spot, between(-0.2, 0.2))
            elif thing == "post":
                outdoors.post((spot[0], distance - between(0.7, 1.4), 0))
            else:
                outdoors.watering_can(spot, between(0, 6))


def street_side(distance):
    """Where bicycles stand: mostly a house front, sometimes a railing, a fence or a hedge."""
    kind = choose("house", "house", "house", "house", "railing", "fence", "wall", "hedge")
    if kind == "house":
        house_front(distance)
        return
    if kind == "railing":
        outdoors.railing((0, distance, 0), 0, 9.0, between(0.9, 1.1))
        outdoors.tree_line(distance + 4.0)
    elif kind == "fence":
        outdoors.fence((0, distance, 0), 0, 9.0, between(0.9, 1.7))
        outdoors.tree_line(distance + 3.0)
    elif kind == "wall":
        outdoors.low_wall((0, distance, 0), 0, 10.0, between(0.9, 1.6))
        outdoors.tree_line(distance + 3.0)
    else:
        outdoors.hedge((0, distance, 0), 0, 9.0, between(1.1, 1.9), density=300)


def terrace_backdrop(distance):
    """A house wall, a fence, a hedge or a railing behind a terrace."""
    kind = choose("house", "house", "house", "fence", "hedge", "railing")
    if kind == "house":
        outdoors.facade((0, distance, 0), 0, 12.0, 4.2)
        if stage.chance(0.4):
            outdoors.wall_lamp((between(-1.2, 1.2), distance, between(1.7, 2.0)), 0)
    elif kind == "fence":
        outdoors.fence((0, distance, 0), 0, 9.0, between(1.3, 1.9), choose("boards", "slats"))
    elif kind == "hedge":
        outdoors.hedge((0, distance, 0), 0, 9.0, between(1.3, 2.1), density=300)
    else:
        outdoors.railing((0, distance, 0), 0, 9.0, 1.0)
        outdoors.tree_line(distance + 5.0)
    if stage.chance(0.3):
        outdoors.planter_box((choose(-1, 1) * between(0.9, 1.6), distance - 0.3, 0))


def garden_backdrop(distance):
    """A fence, a hedge, a wall, shrubs, a house, or only trees far off."""
    kind = choose("fence", "hedge", "hedge", "wall", "open", "house")
    if kind == "fence":
        outdoors.fence((0, distance, 0), 0, 9.0, between(0.9, 1.8))
        outdoors.tree_line(distance + 3.0)
    elif kind == "hedge":
        outdoors.hedge((0, distance, 0), 0, 9.0, between(1.1, 2.0), density=300)
    elif kind == "wall":
        outdoors.low_wall((0, distance, 0), 0, 10.0, between(0.8, 1.6))
        outdoors.tree_line(distance + 3.0)
    elif kind == "house":
        outdoors.facade((0, distance, 0), 0, 12.0, 4.2)
    else:
        outdoors.tree_line(distance + 2.5)
    if stage.chance(0.5):
        outdoors.flower_bed((between(-0.8, 0.8), distance - 0.7, 0))
    for side in (-1, 1):
        if stage.chance(0.35):
            spot = (side * between(1.1, 1.9), distance - between(0.5, 0.9), 0)
            outdoors.shrub(spot, between(0.6, 1.1))


# --- perches --------------------------------------------------------------------------------


def perch(kind, y):
    """Something for a bird to sit on at depth y; returns the height of its upper side."""
    if kind == "railing":
        return outdoors.railing((0, y, 0), 0, 7.0, between(0.85, 1.05))
    if kind == "wall":
        return outdoors.low_wall((0, y - 0.14, 0), 0, 7.0, between(0.45, 0.9))
    if kind == "branch":
        top = between(1.0, 1.3)
        outdoors.branch((0, y, top), between(-0.3, 0.3), 2.0)
        return top
    if kind == "bench":
        return outdoors.bench((0, y + 0.12, 0), between(-0.2, 0.2))
    if kind == "fence":
        return outdoors.fence((0, y, 0), 0, 7.0, between(0.8, 1.0), "boards")
    if kind == "bath":
        return outdoors.bird_bath((0, y + 0.235, 0))
    return outdoors.feeder((0, y + 0.05, 0), 0, between(1.0, 1.25))
