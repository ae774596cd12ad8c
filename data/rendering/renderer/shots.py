"""What every scene kind shares: the shot it returns, views, and where to put things."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from . import bottles, camera, clutter, furniture, lighting, plants, stage

FACING_CAMERA = -math.pi / 2
"""Rotation at which a cat or bird, which points along +x, looks at the camera."""


class Shot(NamedTuple):
    """A built scene and what makes a good picture of it.

    view() places the camera anew each time; need and any_of give classes and the labelled
    pixels they must have at least; share bounds the labelled share of the picture; classes
    in inside must not be cut off by the frame; variety is the least number of classes in the
    picture; clearance is the free space before the lens.
    """

    view: Callable
    need: Mapping
    share: tuple = (0.2, 0.62)
    any_of: Mapping = MappingProxyType({})
    inside: tuple = ()
    variety: int = 2
    clearance: float = 0.3
    light: Callable | None = None


def between(low, high):
    """A random number from low to high."""
    return stage.random.uniform(low, high)


def choose(*options):
    """One of the options."""
    return stage.random.choice(options)


def either_side():
    """-1 or 1."""
    return stage.random.choice((-1, 1))


def look(
    target,
    distance,
    angle=(-0.6, 0.6),
    height=(1.0, 1.5),
    lens=(28, 40),
    fstops=(None, 5.6, 4, 2.8),
    jitter=0.2,
    room=None,
):
    """A function that places the camera around target; pairs are (low, high) bounds.

    The target is moved by up to jitter to keep things out of the dead centre; within a room
    the camera stays between its walls.
    """

    def view():
        x, y, z = target
        aim = (x + between(-jitter, jitter), y, z + between(-jitter, jitter) * 0.4)
        far, turn = between(*distance), between(*angle)
        place = [x + far * math.sin(turn), y - far * math.cos(turn), between(*height)]
        if room:
            limit = room.width / 2 - 0.3
            place[0] = max(-limit, min(limit, place[0]))
            place[1] = min(place[1], room.depth - 0.4)
        roll = stage.random.gauss(0, 0.018)
        focus = (x, y, z)
        camera.place(place, aim, between(*lens), choose(*fstops), roll, focus)

    return view


def scatter(count, center, half_size, gap=0.13, taken=None):
    """Up to count places (x, y) in a rectangle, at least gap apart and away from taken."""
    taken = [] if taken is None else taken
    places = []
    for _ in range(count * 12):
        if len(places) == count:
            break
        spot = (
            center[0] + between(-half_size[0], half_size[0]),
            center[1] + between(-half_size[1], half_size[1]),
        )
        if all(math.dist(spot, other) > gap for other in taken):
            places.append(spot)
            taken.append(spot)
    return places


def bottle_group(height, count, center, half_size, taken=None, kinds=None):
    """A few bottles standing on a surface at height."""
    for x, y in scatter(count, center, half_size, 0.1, taken):
        bottles.bottle((x, y, height), stage.random.choice(kinds) if kinds else None)


def table_clutter(height, count, center, half_size, taken=None):
    """Small unlabelled things on a surface at height."""
    for x, y in scatter(count, center, half_size, 0.17, taken):
        clutter.tabletop_thing((x, y, height), 0.08)


def wall_pictures(room, x, width=1.6, height=1.5, clear=()):
    """A row of framed pictures on the back wall around x, or a clock; not over windows."""
    for window in room.windows:
        if window.side == "back" and abs(window.centre[0] - x) < (window.width + width) / 2:
            return
    count = choose(0, 1, 1, 2, 2, 3)
    if count == 0 and stage.chance(0.4):
        clutter.wall_clock((x + between(-0.4, 0.4), room.depth, height + 0.3), 0)
    for i in range(count):
        across = x + (i - (count - 1) / 2) * between(0.5, 0.62)
        level = height + between(-0.05, 0.25) * (count > 1)
        wide, tall = choose((0.3, 0.4), (0.4, 0.3), (0.45, 0.6), (0.35, 0.5))
        if count == 1:
            wide, tall = wide * 1.5, tall * 1.4
        clutter.picture_frame((across, room.depth, level), 0, wide, tall)


def corner_filler(room, side):
    """Something tall in a back corner: a plant, a lamp, a shelf, or nothing."""
    x = side * (room.width / 2 - 0.42)
    y = room.depth - 0.42
    kind = choose("plant", "plant", "plant", "lamp", "shelf", "basket", "none")
    if kind == "plant":
        plants.plant((x, y, 0), "large", between(0.85, 1.25))
    elif kind == "lamp":
        clutter.floor_lamp((x, y, 0))
    elif kind == "shelf":
        clutter.bookshelf((side * (room.width / 2 - 0.5), room.depth - 0.17, 0), 0)
    elif kind == "basket":
        clutter.floor_thing((x, y, 0))


def floor_clutter(count, center, half_size, taken=None):
    """Shoes, toys, bags and boxes on the floor."""
    for x, y in scatter(count, center, half_size, 0.35, taken):
        clutter.floor_thing((x, y, 0))


def chairs_around(y, length, width, style, occupancy=0.75, round_top=False, x=0.0):
    """Chairs of one style around a dining table at (x, y), pulled out here and there."""
    places = []
    if round_top:
        for i in range(4):
            angle = i * math.pi / 2 + between(-0.3, 0.3) + 0.4
            reach = width / 2 + between(0.1, 0.35)
            places.append((math.sin(angle) * reach, -math.cos(angle) * reach, angle + math.pi))
    else:
        count = 2 if length > 1.4 else 1
        for side in (-1, 1):
            for i in range(count):
                across = (i - (count - 1) / 2) * length * 0.45
                reach = side * (width / 2 + between(0.02, 0.3))
                places.append((across, reach, math.pi if side < 0 else 0.0))
        for side in (-1, 1):
            places.append((side * (length / 2 + between(0.1, 0.35)), 0, -side * math.pi / 2))
    kept = []
    for dx, dy, turn in places:
        if stage.chance(occupancy):
            twist = stage.random.gauss(0, 0.14)
            kept.append((x + dx, y + dy, turn + twist))
            furniture.chair((x + dx, y + dy, 0), turn + twist, style)
    return kept


def flash_if(mood):
    """The extra light of a shot: the camera's flash in rooms lit for one."""
    if mood == "flash":
        return lambda: lighting.camera_flash(between(15, 40))
    return None
