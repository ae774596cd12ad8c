"""Scenes at home. Each function builds one room and returns a Shot."""

import math

from . import (
    bicycle,
    bottles,
    clutter,
    furniture,
    lighting,
    plants,
    rooms,
    stage,
)
from .animals import BIRD_KINDS, bird, cat
from .shots import (
    FACING_CAMERA,
    Shot,
    between,
    bottle_group,
    chairs_around,
    choose,
    corner_filler,
    either_side,
    flash_if,
    floor_clutter,
    look,
    scatter,
    table_clutter,
    wall_pictures,
)


def living():
    """A sofa with a coffee table before it, from the front or at an angle."""
    room = rooms.build(
        between(3.8, 5.0), between(3.2, 4.2), windows=(choose("left", "right", "back"),)
    )
    mood = lighting.indoors(room)
    x, y = between(-0.5, 0.5), room.depth - 0.55
    turn = choose(0, 0, between(-0.5, 0.5))
    if turn:
        y -= 0.35
    with stage.group((x, y, 0), turn):
        seat, half = furniture.sofa((0, 0, 0), 0)
        spot, side = between(-half + 0.5, half - 0.5), either_side()
        if stage.chance(0.4):
            cat((spot, -0.2, seat), FACING_CAMERA + between(-1.0, 1.0))
            side = -1 if spot > 0 else 1
        if stage.chance(0.3) and abs(side * (half - 0.45) - spot) > 0.5:
            clutter.folded_blanket((side * (half - 0.45), -0.15, seat), between(-0.2, 0.2))
        elif stage.chance(0.35) and abs(side * 0.3 - spot) > 0.45:
            clutter.book((side * 0.3, -0.15, seat), between(0, 6))
    if stage.chance(0.6):
        clutter.rug((x, y - 1.2, 0), between(-0.15, 0.15), between(1.7, 2.3), between(1.2, 1.6))
    table_y = y - between(0.95, 1.2)
    table_x = x + between(-0.2, 0.2)
    height = clutter.coffee_table((table_x, table_y, 0), between(-0.15, 0.15))
    taken = []
    bottle_group(height, choose(0, 1, 1, 2), (table_x, table_y), (0.3, 0.14), taken)
    table_clutter(height, choose(1, 2, 3), (table_x, table_y), (0.32, 0.16), taken)
    side = either_side()
    if stage.chance(0.6):
        corner_filler(room, side)
    plants.plant((x - side * (half + 0.35), y + 0.1, 0), "large", between(0.85, 1.25))
    if stage.chance(0.4):
        furniture.chair(
            (x + side * between(1.2, 1.5), y - between(1.0, 1.3), 0),
            side * -between(0.7, 1.6),
            furniture.chair_style(choose("easy_chair", "wing_chair", "lounge_wood", "wicker")),
        )
    if not turn:
        wall_pictures(room, x)
    floor_clutter(choose(0, 0, 1), (x, y - 1.4), (1.3, 0.5))
    view = look((x, y - 0.3, 0.5), (1.9, 3.0), (-0.75, 0.75), (0.75, 1.55), (27, 38), room=room)
    return Shot(view, {"sofa": 6000}, (0.28, 0.62), light=flash_if(mood))


def television_corner():
    """A television on a low cabinet, with what stands around it."""
    room = rooms.build(between(3.6, 5.0), between(3.0, 4.0), windows=(choose("left", "right"),))
    mood = lighting.indoors(room)
    x, width = between(-0.4, 0.4), between(1.3, 1.8)
    y = room.depth - 0.26
    height = clutter.media_bench((x, y, 0), 0, width)
    furniture.television((x + between(-0.12, 0.12), y, height), 0, between(0.8, 1.2))
    side = either_side()
    end = width / 2 - 0.12
    if stage.chance(0.6):
        plants.plant(
            (x + side * (width / 2 + 0.38), room.depth - 0.4, 0), "large", between(0.85, 1.25)
        )
    if stage.chance(0.4):
        plants.plant((x - side * end, y, height), "small", between(0.75, 1.05))
    elif stage.chance(0.6):
        bottles.bottle((x - side * end, y - 0.05, height))
    if stage.chance(0.5):
        corner_filler(room, -side)
    wall_pictures(room, x - side * (width / 2 + 0.5), 0.5)
    if stage.chance(0.5):
        clutter.rug((x, y - 1.3, 0), between(-0.1, 0.1), 1.9, 1.3)
    front = choose("sofa", "chair", "chair", "table", "table", "cat")
    if front == "sofa":
        with stage.group((x + between(-0.5, 0.5), y - 2.2, 0), math.pi + between(-0.3, 0.3)):
            furniture.sofa((0, 0, 0), 0)
        view = look((x, y, 0.75), (2.9, 3.4), (-0.35, 0.35), (1.25, 1.6), (28, 36), room=room)
        return Shot(view, {"tvmonitor": 1800, "sofa": 2500}, light=flash_if(mood))
    if front == "chair":
        style = furniture.chair_style(
            choose("easy_chair", "wing_chair", "lounge_wood", "tub", "wicker", "shell")
        )
        place = (x + side * between(0.5, 1.1), y - between(1.1, 1.5), 0)
        furniture.chair(place, between(-1.2, 1.2) + choose(0, math.pi), style)
    if front == "table":
        table_y = y - between(1.2, 1.4)
        top = clutter.coffee_table((x, table_y, 0), between(-0.2, 0.2))
        taken = []
        bottle_group(top, choose(1, 2, 2), (x, table_y), (0.3, 0.14), taken)
        table_clutter(top, choose(1, 2), (x, table_y), (0.38, 0.18), taken)
    if front == "cat" or stage.chance(0.3):
        cat((x - side * between(0.3, 0.8), y - between(0.7, 1.1), 0), between(-2.9, -0.2))
    view = look((x, y, 0.75), (1.6, 2.35), (-0.55, 0.55), (0.7, 1.4), (28, 42), room=room)
    return Shot(view, {"tvmonitor": 4000}, (0.23, 0.62), light=flash_if(mood))


def dining():
    """A dining table with its chairs."""
    room = rooms.build(
        between(3.8, 5.0), between(3.6, 4.4), windows=(choose("left", "right", "back", "back"),)
    )
    mood = lighting.indoors(room)
    round_top = stage.chance(0.3)
    length, width = between(1.2, 1.8), between(0.8, 0.95)
    if round_top:
        length = width = between(1.0, 1.2)
    y, turn = room.depth - between(1.6, 1.9), between(-0.4, 0.4)
    with stage.group((0, y, 0), turn):
        height = furniture.dining_table((0, 0, 0), 0, length, width, round_top, True)
        style = furniture.chair_style()
        kept = chairs_around(0, length, width, style, 0.75, round_top)
        bottle_group(height, choose(0, 1, 1, 2, 3), (0, 0), (length * 0.2, 0.1))
        if kept and stage.chance(0.22) and style.kind not in ("folding", "bistro"):
            cx, cy, spin = stage.random.choice(kept)
            cat((cx, cy, 0.46), spin + FACING_CAMERA, choose("sit", "loaf", "curl"))
    hang = between(1.55, 1.8)
    if stage.chance(0.5):
        pendant_lamp((0, y, hang), room.height, mood)
    if stage.chance(0.65):
        corner_filler(room, either_side())
    if stage.chance(0.42):
        bench = clutter.media_bench((between(-0.8, 0.8), room.depth - 0.26, 0), 0, 1.5)
        furniture.television((0, room.depth - 0.26, bench), 0, between(0.8, 1.0))
    else:
        wall_pictures(room, between(-0.8, 0.8))
    view = look((0, y, 0.68), (1.7, 2.5), (-0.7, 0.7), (1.1, 1.75), (27, 36), room=room)
    return Shot(view, {"diningtable": 2500, "chair": 1500}, (0.22, 0.58), light=flash_if(mood))


def pendant_lamp(location, ceiling, mood):
    """A lamp hanging over a table, lit in the evening."""
    from .geometry import cylinder, lathe
    from .materials import any_metal, hexadecimal, natural_color, paint, rattan

    x, y, z = location
    shade = choose(
        lambda: paint(natural_color(0.2), 0.45),
        lambda: any_metal("black", "brass", "copper"),
        rattan,
        lambda: paint(hexadecimal("e8e4da"), 0.7),
    )()
    profile = choose(
        [(0.2, 0), (0.19, 0.03), (0.08, 0.17), (0.03, 0.2)],
        [(0.16, 0), (0.17, 0.06), (0.13, 0.16), (0.05, 0.22)],
        [(0.24, 0), (0.23, 0.05), (0.2, 0.09), (0.03, 0.12)],
        [(0.07, 0), (0.08, 0.05), (0.08, 0.2), (0.03, 0.22)],
    )
    lathe(profile, shade, location)
    cylinder(0.004, ceiling - z - 0.2, (x, y, z + 0.2), any_metal("black"))
    lit = mood in ("evening", "ceiling") or stage.chance(0.25)
    if lit:
        lighting.point((x, y, z + 0.05), between(8, 25), (1, 0.8, 0.55), 0.04)


def home_office():
    """A desk with a monitor or two and a chair."""
    room = rooms.build(between(3.0, 4.0), between(2.6, 3.2), windows=(choose("left", "right"),))
    mood = lighting.indoors(room)
    x, length = between(-0.2, 0.2), between(1.2, 1.6)
    y = room.depth - 0.4
    height = clutter.desk((x, y, 0), 0, length)
    two = stage.chance(0.25) and length > 1.35
    if two:
        for side in (-1, 1):
            furniture.monitor((x + side * 0.3, y + 0.1, height), -side * 0.25, between(0.52, 0.56))
    else:
        spin = between(-0.2, 0.2)
        furniture.monitor((x + between(-0.1, 0.1), y + 0.1, height), spin, between(0.5, 0.68))
    clutter.keyboard((x, y - 0.16, height), between(-0.05, 0.05))
    clutter.mouse((x + 0.3, y - 0.16, height), between(-0.2, 0.2))
    side = either_side()
    edge = length / 2 - 0.14
    taken = [(x, y - 0.16), (x + 0.3, y - 0.16), (x, y + 0.1)]
    if stage.chance(0.75):
        bottles.bottle((x + side * between(0.42, edge), y - between(0.05, 0.2), height))
        taken.append((x + side * 0.48, y - 0.12))
    if stage.chance(0.7):
        spot = (x - side * edge, y + between(0.08, 0.14), height)
        plants.plant(spot, "small", between(0.75, 1.05))
        taken.append(spot[:2])
    table_clutter(height, choose(1, 2, 3), (x, y - 0.05), (edge, 0.2), taken)
    if stage.chance(0.3):
        cat((x - side * 0.42, y - 0.1, height), between(-2.4, -0.6), choose("loaf", "sit", "curl"))
    if stage.chance(0.85):
        kind = choose("office", "office", "office", "shell", "school", "slat_back", "cantilever")
        place = (x + between(-0.35, 0.35), y - between(0.6, 0.85), 0)
        furniture.chair(place, math.pi + between(-0.9, 0.9), furniture.chair_style(kind))
    wall_pictures(room, x, height=1.6)
    if stage.chance(0.5):
        corner_filler(room, side)
    floor_clutter(choose(0, 1, 1), (x + side * 0.9, y - 0.5), (0.3, 0.3))
    view = look((x, y, 0.85), (1.05, 1.7), (-0.75, 0.75), (1.0, 1.5), (27, 40), room=room)
    return Shot(view, {"tvmonitor": 3300}, (0.23, 0.62), light=flash_if(mood))


def kitchen():
    """A kitchen counter with bottles; a breakfast table before it."""
    room = rooms.build(
        between(3.4, 4.4),
        between(2.8, 3.6),
        windows=(choose("left", "right"),),
        style="kitchen",
    )
    mood = lighting.indoors(room)
    x = between(-0.3, 0.3)
    length = between(1.8, 2.6)
    top = clutter.kitchen_counter((x, room.depth - 0.32, 0), 0, length)
    taken = []
    edge = length / 2 - 0.15
    bottle_group(top, choose(2, 3, 4), (x, room.depth - 0.3), (edge, 0.15), taken)
    table_clutter(top, choose(2, 3), (x, room.depth - 0.3), (edge, 0.14), taken)
    for px, py in scatter(choose(0, 1), (x, room.depth - 0.28), (edge, 0.08), 0.2, taken):
        plants.plant((px, py, top), "small", between(0.75, 1.05))
    if stage.chance(0.45):
        view = look(
            (x + between(-0.5, 0.5), room.depth - 0.35, top + 0.12),
            (0.7, 1.25),
            (-0.7, 0.7),
            (1.1, 1.5),
            (32, 45),
            (2.8, 4, 5.6),
            room=room,
        )
        return Shot(view, {"bottle": 2000}, (0.08, 0.5), light=flash_if(mood))
    y = room.depth - between(1.5, 1.7)
    small = stage.chance(0.5)
    width = between(0.7, 0.85)
    length = width if small else between(1.0, 1.3)
    with stage.group((x, y, 0), between(-0.4, 0.4)):
        height = furniture.dining_table((0, 0, 0), 0, length, width, small, True)
        chairs_around(0, length, width, furniture.chair_style(), 0.6, small)
        bottle_group(height, choose(0, 1, 2), (0, 0), (0.18, 0.12))
    view = look((x, y + 0.2, 0.75), (1.5, 2.1), (-0.7, 0.7), (1.2, 1.65), (28, 38), room=room)
    return Shot(view, {"diningtable": 2000}, (0.2, 0.6), light=flash_if(mood))


def table_top():
    """A close look across a laid table, bottles in front."""
    room = rooms.build(between(4, 5), between(3.8, 4.8), windows=(choose("left", "right", "back"),))
    mood = lighting.indoors(room)
    y, turn = 1.2, between(-0.35, 0.35)
    length, width = between(1.2, 1.7), between(0.8, 0.9)
    taken = []
    with stage.group((0, y, 0), turn):
        height = furniture.dining_table((0, 0, 0), 0, length, width, stage.chance(0.25), True)
        bottle_group(height, choose(2, 3, 3, 4), (0, -0.02), (0.3, 0.2), taken)
        if stage.chance(0.35):
            for px, py in scatter(1, (0, 0.1), (0.35, 0.15), 0.2, taken):
                plants.plant((px, py, height), "small", between(0.65, 0.85))
        style = furniture.chair_style()
        for dx in (-0.4, 0.3):
            if stage.chance(0.55):
                furniture.chair((dx, width / 2 + between(0.1, 0.3), 0), between(-0.25, 0.25), style)
    far = room.depth - 0.6
    if stage.chance(0.35):
        with stage.group((between(-0.6, 0.6), far, 0), 0):
            furniture.sofa((0, 0, 0), 0)
    elif stage.chance(0.85):
        bench = clutter.media_bench((between(-0.5, 0.5), room.depth - 0.26, 0), 0, 1.5)
        furniture.television((between(-0.3, 0.3), room.depth - 0.26, bench), 0, between(0.8, 1.1))
    if stage.chance(0.5):
        side = either_side()
        plants.plant((side * between(0.8, 1.4), far, 0), "large", between(0.85, 1.25))
    wall_pictures(room, 0)
    view = look(
        (0, y, height + 0.1),
        (0.65, 1.15),
        (-0.6, 0.6),
        (height + 0.16, height + 0.55),
        (30, 45),
        (2, 2.8, 4, 5.6),
        0.12,
    )
    return Shot(
        view,
        {"bottle": 1500, "diningtable": 1500},
        (0.2, 0.62),
        clearance=0.2,
        light=flash_if(mood),
    )


def window_sill():
    """Plants and bottles on a sill before a bright window, perhaps with a cat."""
    wide = between(1.2, 1.8)
    sill = between(0.8, 0.95)
    room = rooms.build(
        between(3.0, 3.8),
        between(2.4, 3.0),
        windows=("back",),
        opening=(0, sill, wide, between(1.1, 1.4)),
        dressing=choose("none", "roller", "slats", "curtains", "sheers"),
        sill_depth=0.3,
    )
    mood = choose("bright", "overcast", "bright", "overcast", "evening", "flash")
    lighting.indoors(room, mood)
    y = room.depth - 0.13
    spots = []
    x = -wide / 2 + between(0.15, 0.25)
    while x < wide / 2 - 0.12:
        spots.append(x)
        x += between(0.2, 0.32)
    contents = [choose("plant", "plant", "bottle", "bottle", "thing", "gap") for _ in spots]
    if not {"plant", "bottle"} & set(contents):
        contents[0] = "plant"
    sitter = None
    if stage.chance(0.4) and len(spots) > 3:
        sitter = stage.random.randrange(1, len(spots) - 1)
        contents[sitter] = "cat"
        contents[sitter - 1] = contents[sitter + 1] = "gap"
    for x, content in zip(spots, contents, strict=True):
        if content == "plant":
            spot = (x, y + between(-0.02, 0.02), sill)
            plants.plant(spot, "small", between(0.75, 1.05))
        elif content == "bottle":
            bottles.bottle((x, y + between(-0.05, 0.05), sill))
        elif content == "thing":
            clutter.tabletop_thing((x, y, sill), 0.08)
        elif content == "cat":
            pose = choose("sit", "loaf", "curl", "sit")
            turn = choose(0, math.pi) + between(-0.4, 0.4)
            cat((x, y, sill), turn, pose)
    if stage.chance(0.45):
        style = furniture.chair_style(choose(*furniture.EASY_CHAIRS, "slat_back", "windsor"))
        place = (either_side() * between(0.3, 0.9), room.depth - between(0.75, 1.0), 0)
        furniture.chair(place, between(-1.2, 1.2), style)
    elif stage.chance(0.5):
        clutter.radiator((0, room.depth - 0.06, 0), 0)
    view = look(
        (between(-0.3, 0.3), room.depth - 0.2, sill + 0.12),
        (0.75, 1.5),
        (-0.75, 0.75),
        (0.95, 1.5),
        (30, 45),
        (2.8, 4, 5.6, None),
        0.15,
        room,
    )
    return Shot(
        view,
        {},
        (0.18, 0.6),
        {"pottedplant": 3500, "bottle": 1800, "cat": 3000},
        light=flash_if(mood),
    )


def reading_corner():
    """An easy chair with a lamp, a plant and a side table."""
    room = rooms.build(
        between(3.2, 4.2), between(2.6, 3.4), windows=(choose("left", "right", "back"),)
    )
    mood = choose("evening", "bright", "overcast", "sunny", "ceiling")
    lighting.indoors(room, mood)
    x, y = between(-0.3, 0.3), room.depth - between(0.75, 1.0)
    side = either_side()
    style = furniture.chair_style(choose(*furniture.EASY_CHAIRS))
    turn = side * -between(0.1, 0.9)
    furniture.chair((x, y, 0), turn, style)
    if stage.chance(0.35):
        cat(
            (x, y - 0.02, 0.46),
            turn + FACING_CAMERA + between(-0.4, 0.4),
            choose("curl", "loaf", "sit"),
        )
    elif stage.chance(0.35):
        cat((x - side * between(0.5, 0.8), y - 0.5, 0), between(-2.6, -0.4))
    clutter.floor_lamp((x - side * 0.55, room.depth - 0.3, 0))
    table = (x + side * between(0.62, 0.75), y - 0.02, 0)
    height = clutter.side_table(table, 0)
    taken = []
    bottle_group(height, choose(0, 1, 1), table[:2], (0.1, 0.1), taken)
    table_clutter(height, choose(1, 1), table[:2], (0.1, 0.1), taken)
    spot = (x + side * between(1.05, 1.3), room.depth - 0.4, 0)
    plants.plant(spot, "large", between(0.85, 1.25))
    if stage.chance(0.4):
        plants.plant(
            (x - side * between(0.95, 1.15), room.depth - 0.4, 0), "large", between(0.85, 1.25)
        )
    elif stage.chance(0.5):
        clutter.bookshelf((x - side * 1.3, room.depth - 0.17, 0), 0)
    if stage.chance(0.6):
        clutter.rug((x, y - 0.5, 0), between(-0.3, 0.3), 1.8, 1.3)
    wall_pictures(room, x, height=1.55)
    floor_clutter(choose(0, 1), (x - side * 0.8, y - 0.8), (0.3, 0.2))
    view = look(
        (x + side * 0.15, y, 0.55), (1.5, 2.3), (-0.6, 0.6), (0.8, 1.5), (28, 40), room=room
    )
    return Shot(view, {"chair": 4500}, (0.24, 0.62))


def hallway_bicycle():
    """A bicycle leaning against the wall of a corridor or stairwell."""
    room = rooms.build(
        between(3.2, 4.2),
        between(2.6, 3.4),
        windows=choose(("left",), ("right",), ()),
        style="hall",
        doors=0.6,
    )
    mood = lighting.indoors(room, choose("bright", "ceiling", "overcast", "flash", "ceiling"))
    x, y = between(-0.25, 0.25), room.depth - between(0.3, 0.36)
    turned = stage.chance(0.5)
    turn = math.pi * turned + between(-0.05, 0.05)
    lean = between(0.06, 0.11) * (1 if turned else -1)
    bicycle.bicycle((x, y, 0), turn, lean)
    side = either_side()
    if stage.chance(0.6):
        plants.plant(
            (x + side * between(1.05, 1.25), room.depth - 0.35, 0), "large", between(0.85, 1.25)
        )
    if stage.chance(0.5):
        spot = (x - side * between(1.1, 1.3), room.depth - 0.4, 0)
        furniture.chair(spot, between(-0.5, 0.5), furniture.chair_style())
    if stage.chance(0.35):
        cat((x + between(-0.7, 0.7), y - between(0.5, 0.8), 0), between(-2.9, -0.3))
    floor_clutter(choose(1, 2), (x, y - 0.35), (1.0, 0.1))
    wall_pictures(room, x, height=1.6)
    view = look((x, y, 0.5), (1.2, 1.9), (-0.75, 0.75), (0.7, 1.55), (28, 38), room=room)
    return Shot(view, {"bicycle": 4000}, (0.16, 0.55), light=flash_if(mood))


def cat_on_sofa():
    """A close portrait of a cat on a sofa, sometimes of nearly the same colour."""
    room = rooms.build(
        between(3.6, 4.6), between(2.8, 3.6), windows=(choose("left", "right", "back"),)
    )
    mood = lighting.indoors(room)
    x, y = between(-0.4, 0.4), room.depth - 0.55
    with stage.group((x, y, 0), between(-0.5, 0.5)):
        seat, half = furniture.sofa((0, 0, 0), 0)
        spot = between(-half + 0.5, half - 0.5)
        pose = choose("sit", "loaf", "side", "curl", "sit", "loaf")
        cat((spot, -0.2, seat), FACING_CAMERA + between(-1.3, 1.3), pose)
        side = -1 if spot > 0 else 1
        if stage.chance(0.3) and abs(side * (half - 0.45) - spot) > 0.6:
            clutter.folded_blanket((side * (half - 0.45), -0.15, seat), between(-0.2, 0.2))
        elif stage.chance(0.3):
            clutter.book((spot + side * 0.45, -0.2, seat), between(0, 6))
    if stage.chance(0.4):
        plants.plant((x + either_side() * (half + 0.3), y + 0.1, 0), "large", between(0.85, 1.25))
    if stage.chance(0.35):
        top = clutter.coffee_table((x + spot, y - 1.0, 0), between(-0.2, 0.2))
        taken = []
        bottle_group(top, choose(1, 2), (x + spot, y - 1.0), (0.3, 0.12), taken)
        table_clutter(top, 1, (x + spot, y - 1.0), (0.3, 0.12), taken)
    wall_pictures(room, x)
    view = look(
        (x + spot, y - 0.15, seat + 0.14),
        (0.8, 1.7),
        (-0.7, 0.7),
        (0.55, 1.25),
        (32, 50),
        room=room,
        jitter=0.15,
    )
    return Shot(
        view, {"cat": 2500, "sofa": 3000}, (0.25, 0.72), inside=("cat",), light=flash_if(mood)
    )


def cat_nook():
    """A cat on a chair, a rug or the floor, at its own eye level."""
    room = rooms.build(between(3.2, 4.4), between(2.6, 3.4), windows=(choose("left", "right"),))
    mood = lighting.indoors(room)
    y, side = room.depth - between(1.0, 1.3), either_side()
    where = choose("chair", "rug", "floor", "box")
    if where == "chair":
        kind = choose("slat_back", "parsons", "wing_chair", "wicker", "easy_chair", "windsor")
        turn = between(-0.9, 0.9)
        furniture.chair((0, y, 0), turn, furniture.chair_style(kind))
        cat(
            (0, y - 0.02, 0.47),
            turn + FACING_CAMERA + between(-0.5, 0.5),
            choose("sit", "loaf", "curl"),
        )
        target = (0, y, 0.58)
    else:
        if where == "rug":
            clutter.rug((0, y, 0), between(-0.3, 0.3), 1.8, 1.2)
        pose = choose("sit", "loaf", "side", "stand", "walk")
        cat((0, y, 0.012), between(-2.9, -0.2), pose, None, 1.1)
        target = (0, y, 0.17)
        if where == "box":
            clutter.cardboard_box((side * 0.5, y + 0.25, 0), between(-0.6, 0.6))
        behind = choose("sofa", "sofa", "television", "chair")
        if behind == "sofa":
            with stage.group((between(-0.5, 0.5), room.depth - 0.55, 0), 0):
                furniture.sofa((0, 0, 0), 0)
        elif behind == "television":
            bench = clutter.media_bench((0, room.depth - 0.26, 0), 0, 1.6)
            furniture.television((between(-0.2, 0.2), room.depth - 0.26, bench), 0, 0.9)
        else:
            style = furniture.chair_style()
            furniture.chair(
                (side * between(0.4, 0.7), room.depth - 0.45, 0), between(-0.4, 0.4), style
            )
    plants.plant(
        (-side * between(0.5, 0.75), y + between(0.25, 0.5), 0), "large", between(0.85, 1.25)
    )
    if stage.chance(0.3):
        bottles.bottle((side * between(0.25, 0.4), y + between(-0.1, 0.2), 0))
    floor_clutter(choose(0, 1), (side * 0.9, y + 0.3), (0.2, 0.2))
    low, high = (0.15, 0.75) if where != "chair" else (0.6, 1.2)
    view = look(target, (0.8, 1.5), (-0.7, 0.7), (low, high), (32, 48), room=room, jitter=0.12)
    return Shot(view, {"cat": 2600}, (0.2, 0.62), inside=("cat",), light=flash_if(mood))


def loft():
    """A big room with a bicycle beside or before a sofa."""
    room = rooms.build(
        between(4.5, 5.6),
        between(3.4, 4.4),
        between(2.8, 3.3),
        windows=(choose("left", "right", "back"),),
        style="loft",
    )
    mood = lighting.indoors(room)
    side = either_side()
    y = room.depth - 0.6
    sofa_x = side * between(0.5, 0.8)
    with stage.group((sofa_x, y, 0), between(-0.2, 0.2)):
        seat, half = furniture.sofa((0, 0, 0), 0)
        if stage.chance(0.25):
            cat((between(-0.3, 0.3), -0.2, seat), FACING_CAMERA + between(-0.8, 0.8))
    where = choose("wall", "wall", "before")
    turned = stage.chance(0.5)
    if where == "wall":
        spot = (-side * between(1.0, 1.2), room.depth - 0.33, 0)
        spot = (sofa_x - side * (half + 0.75), room.depth - 0.33, 0)
        bicycle.bicycle(spot, math.pi * turned, between(0.06, 0.1) * (1 if turned else -1))
        aim = ((spot[0] + sofa_x) / 2, y, 0.5)
    else:
        spot = (sofa_x - side * between(0.2, 0.8), y - between(0.9, 1.2), 0)
        bicycle.bicycle(spot, math.pi * turned + between(-0.4, 0.4), 0.0)
        aim = (sofa_x - side * 0.3, y - 0.5, 0.5)
    if stage.chance(0.6):
        plants.plant(
            (sofa_x + side * (half + 0.35), room.depth - 0.4, 0), "large", between(0.85, 1.25)
        )
    if where == "wall" and stage.chance(0.6):
        table_y = y - between(0.95, 1.1)
        top = clutter.coffee_table((sofa_x, table_y, 0), between(-0.2, 0.2))
        taken = []
        bottle_group(top, choose(1, 1, 2), (sofa_x, table_y), (0.3, 0.14), taken)
        table_clutter(top, choose(1, 2), (sofa_x, table_y), (0.35, 0.16), taken)
    if stage.chance(0.5):
        clutter.rug((sofa_x, y - 1.2, 0), between(-0.2, 0.2), 2.0, 1.4)
    floor_clutter(choose(0, 1, 2), aim[:2], (1.2, 0.3))
    view = look(aim, (1.6, 2.4), (-0.6, 0.6), (0.8, 1.6), (26, 36), room=room)
    return Shot(view, {"bicycle": 1500, "sofa": 3500}, (0.26, 0.62), light=flash_if(mood))


def shelf():
    """An open shelf or sideboard with bottles, plants and odds and ends."""
    room = rooms.build(between(3.0, 4.0), between(2.4, 3.0), windows=(choose("left", "right"),))
    mood = lighting.indoors(room)
    from .geometry import box
    from .materials import any_metal, paint, white_paint, wood

    width, depth = between(1.0, 1.5), between(0.24, 0.3)
    board = choose(lambda: wood(0), lambda: wood(0), white_paint)()
    y = room.depth - depth / 2 - 0.005
    levels = sorted([between(0.75, 0.85), between(1.2, 1.3), between(1.65, 1.75)])[: choose(2, 3)]
    for level in levels:
        box((width, depth, 0.03), (0, y, level - 0.015), board, 0.004)
    kind = choose("posts", "brackets", "case")
    if kind == "posts":
        post = any_metal("black", "steel")
        for sx in (-1, 1):
            for sy in (-1, 1):
                place = (sx * (width / 2 - 0.02), y + sy * (depth / 2 - 0.02), levels[-1] / 2)
                box((0.025, 0.025, levels[-1]), place, post, 0.003)
    elif kind == "brackets":
        iron = any_metal("black", "brass")
        for level in levels:
            for sx in (-0.35, 0.35):
                box((0.025, depth * 0.8, 0.012), (sx * width, y, level - 0.036), iron, 0.003)
                place = (sx * width, room.depth - 0.01, level - 0.09)
                box((0.025, 0.012, 0.13), place, iron, 0.003)
    else:
        side_board = paint((0.8, 0.79, 0.76, 1), 0.4) if stage.chance(0.4) else wood(2)
        for sx in (-1, 1):
            place = (sx * width / 2, y, levels[-1] / 2)
            box((0.025, depth, levels[-1] + 0.02), place, side_board, 0.003)
    for level in levels:
        x = -width / 2 + between(0.1, 0.18)
        while x < width / 2 - 0.1:
            what = choose("bottle", "bottle", "plant", "books", "thing", "gap", "bottle")
            spot = (x, y + between(-0.04, 0.03), level)
            if what == "bottle":
                bottles.bottle(spot)
                x += between(0.09, 0.13)
                if stage.chance(0.5):
                    bottles.bottle((x, y + between(-0.04, 0.03), level))
                    x += 0.1
            elif what == "plant":
                plants.plant((x + 0.06, y, level), "small", between(0.65, 0.85))
                x += 0.17
            elif what == "books":
                clutter.book_stack((x + 0.08, y, level), between(-0.2, 0.2))
                x += 0.17
            elif what == "thing":
                clutter.tabletop_thing((x + 0.05, y, level), 0.07)
                x += 0.12
            x += between(0.04, 0.12)
    if stage.chance(0.35):
        style = furniture.chair_style()
        furniture.chair(
            (either_side() * between(0.4, 0.8), y - between(0.5, 0.7), 0), between(-1, 1), style
        )
    elif stage.chance(0.4):
        cat((between(-0.5, 0.5), y - 0.5, 0), between(-2.9, -0.3))
    low = levels[0] if len(levels) == 2 or stage.chance(0.5) else levels[1]
    view = look(
        (between(-0.3, 0.3), y, low + 0.16),
        (0.65, 1.15),
        (-0.6, 0.6),
        (low - 0.1, low + 0.5),
        (32, 46),
        (2.8, 4, 5.6, None),
        0.12,
        room,
    )
    return Shot(view, {}, (0.14, 0.55), {"bottle": 2600, "pottedplant": 3000}, light=flash_if(mood))


def pet_bird():
    """A parrot or budgerigar out of its cage: on a chair back, a monitor, a sofa or a table."""
    room = rooms.build(
        between(3.2, 4.2), between(2.6, 3.4), windows=(choose("left", "right", "back"),)
    )
    mood = lighting.indoors(room, choose("bright", "overcast", "sunny", "bright"))
    y = room.depth - between(1.0, 1.3)
    kind = choose(*pet_birds())
    where = choose("chair", "desk", "desk", "table", "sofa")
    turn = FACING_CAMERA + between(-1.4, 1.4)
    if where == "table":
        height = furniture.dining_table((0, y, 0), between(-0.3, 0.3), 1.2, 0.8, False, False)
        bird((0, y - 0.1, height), turn, between(0.95, 1.2), kind)
        taken = [(0, y - 0.1)]
        bottle_group(height, choose(0, 1, 2), (0, y), (0.35, 0.2), taken)
        table_clutter(height, 2, (0, y), (0.4, 0.25), taken)
        furniture.chair((between(-0.3, 0.3), y + 0.55, 0), between(-0.2, 0.2))
        target = (0, y - 0.1, height + 0.1)
    elif where == "desk":
        height = clutter.desk((0, y + 0.2, 0), 0, 1.3)
        furniture.monitor((0.1, y + 0.3, height), between(-0.2, 0.2), 0.58)
        clutter.keyboard((0.1, y + 0.05, height), 0)
        side = either_side()
        bird((side * 0.36, y + 0.03, height), turn, between(0.95, 1.2), kind)
        plants.plant((-side * 0.5, y + 0.3, height), "small", between(0.75, 1.05))
        target = (side * 0.25, y + 0.05, height + 0.12)
    elif where == "sofa":
        with stage.group((0, y + 0.3, 0), between(-0.4, 0.4)):
            seat, _ = furniture.sofa((0, 0, 0), 0)
            spot = between(-0.4, 0.4)
            bird((spot, -0.24, seat), turn, between(1.0, 1.25), kind)
        target = (spot, y + 0.2, seat + 0.12)
    else:
        style = furniture.chair_style(choose("parsons", "slat_back", "school", "tub"))
        furniture.chair((0, y, 0), between(-0.6, 0.6), style)
        bird((0, y - 0.03, 0.475), turn, between(1.0, 1.25), kind)
        target = (0, y, 0.58)
        plants.plant(
            (either_side() * between(0.45, 0.7), y + 0.35, 0), "large", between(0.85, 1.25)
        )
    wall_pictures(room, 0)
    low = target[2] - 0.02
    view = look(
        target, (0.55, 0.95), (-0.7, 0.7), (low, low + 0.35), (34, 50), (2.8, 4, 5.6), 0.07, room
    )
    return Shot(
        view,
        {"bird": 1300},
        (0.15, 0.65),
        inside=("bird",),
        clearance=0.15,
        light=flash_if(mood),
    )


def pet_birds():
    """Kinds of birds that are kept at home."""
    return [kind for kind in BIRD_KINDS if "budgerigar" in kind or kind in ("canary", "parrot")]
