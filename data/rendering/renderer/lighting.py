"""Light: the world outside, the sun, the sky in a window, lamps, a flash."""

import math

import bpy
from mathutils import Euler, Vector

from . import stage

WARM, NEUTRAL, COOL = (1, 0.82, 0.6), (1, 0.97, 0.92), (0.86, 0.93, 1)


def world(name=None, strength=1.0, rotation=None, tint=None):
    """Surround the scene with one of the bundled CC0 panoramas."""
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("world")
    if scene.world.node_tree is None:
        scene.world.use_nodes = True
    tree = scene.world.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputWorld")
    light = tree.nodes.new("ShaderNodeBackground")
    light.inputs[1].default_value = strength
    tree.links.new(light.outputs[0], output.inputs[0])
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    name = name or stage.random.choice(stage.PANORAMAS)
    texture.image = bpy.data.images.load(stage.bundled(name), check_existing=True)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    turn = stage.random.uniform(0, 2 * math.pi) if rotation is None else rotation
    mapping.inputs["Rotation"].default_value = (0, 0, turn)
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs[0])
    tree.links.new(mapping.outputs[0], texture.inputs[0])
    color = texture.outputs[0]
    if tint:
        multiply = tree.nodes.new("ShaderNodeMix")
        multiply.data_type, multiply.blend_type = "RGBA", "MULTIPLY"
        multiply.inputs[0].default_value = 1
        multiply.inputs[7].default_value = (*tint, 1)
        tree.links.new(color, multiply.inputs[6])
        color = multiply.outputs[2]
    tree.links.new(color, light.inputs[0])


def _lamp(kind, location, rotation, energy, color):
    data = bpy.data.lights.new("light", kind)
    data.energy = energy
    data.color = color
    obj = bpy.data.objects.new("light", data)
    obj.location = location
    obj.rotation_euler = rotation
    return stage.add(obj)


def area(location, rotation, energy, color=NEUTRAL, width=1.0, height=None, spread=math.pi):
    """A rectangle of light, invisible itself; at rotation 0 it shines down."""
    obj = _lamp("AREA", location, rotation, energy, color)
    obj.data.shape = "RECTANGLE"
    obj.data.size = width
    obj.data.size_y = height or width
    obj.data.spread = spread
    obj.visible_camera = False
    return obj


def portal(location, rotation, width, height):
    """Tells the renderer where the light of the world comes in."""
    obj = area(location, rotation, 1, width=width, height=height)
    obj.data.cycles.is_portal = True
    return obj


def point(location, energy, color=WARM, radius=0.05):
    """A bulb."""
    obj = _lamp("POINT", location, (0, 0, 0), energy, color)
    obj.data.shadow_soft_size = radius
    return obj


def sun(elevation, azimuth, strength, color=(1, 0.93, 0.82), softness=0.012):
    """Sunlight; elevation in radians above the horizon, azimuth 0 from +y, positive from +x."""
    obj = _lamp("SUN", (0, 0, 5), (0, 0, 0), strength, color)
    obj.rotation_euler = Euler((0, math.pi / 2 - elevation, math.pi / 2 - azimuth))
    obj.data.angle = softness
    return obj


def indoors(room, mood=None):
    """Light a room. Moods: bright, overcast, sunny, evening, ceiling, flash."""
    uniform, choice = stage.random.uniform, stage.random.choice
    mood = mood or choice(
        [
            "bright",
            "bright",
            "overcast",
            "overcast",
            "sunny",
            "sunny",
            "evening",
            "ceiling",
            "flash",
        ]
    )
    strength = {
        "bright": uniform(1.5, 3),
        "overcast": uniform(0.9, 1.8),
        "sunny": uniform(1.5, 2.5),
        "evening": uniform(0.06, 0.2),
        "ceiling": uniform(0.15, 0.6),
        "flash": uniform(0.3, 0.8),
    }[mood]
    tint = {"evening": (0.55, 0.7, 1.0), "overcast": (0.95, 0.98, 1.0)}.get(mood)
    world(
        choice(["courtyard", "forest", "city", "interior", "sunrise", "city"]), strength, tint=tint
    )
    sky = {"bright": 1.0, "overcast": 0.8, "sunny": 0.8, "evening": 0.06, "ceiling": 0.2}
    for window in room.windows:
        energy = uniform(60, 160) * window.width * window.height / 2 * sky.get(mood, 0.3)
        color = choice([NEUTRAL, COOL, (1, 1, 1)]) if mood != "evening" else (0.6, 0.75, 1)
        window_light(window, energy, color)
    if mood == "sunny" and room.windows:
        toward = room.windows[0].side
        azimuth = {"left": -1.57, "right": 1.57, "back": 0}[toward] + uniform(-0.55, 0.35)
        warm = uniform(0, 1)
        color = (1, 0.94 - 0.18 * warm, 0.84 - 0.34 * warm)
        sun(uniform(0.35, 0.85) - 0.2 * warm, azimuth, uniform(5, 12), color)
    fill = {"bright": 30, "overcast": 18, "sunny": 22, "evening": 5, "ceiling": 10, "flash": 4}[
        mood
    ]
    area(
        (uniform(-1, 1), -1.6, 2.2),
        (math.radians(55), 0, uniform(-0.3, 0.3)),
        fill * uniform(0.5, 1.6),
        choice([NEUTRAL, (1, 1, 1), WARM]),
        2.2,
        1.2,
    )
    if mood in ("ceiling", "evening") or stage.chance(0.15):
        middle = (uniform(-0.8, 0.8), room.depth * uniform(0.4, 0.7), room.height - 0.06)
        power = uniform(30, 70) if mood == "ceiling" else uniform(8, 22)
        area(middle, (0, 0, 0), power, choice([WARM, WARM, (1, 0.9, 0.75), NEUTRAL]), 0.45)
    return mood


def window_light(window, energy, color):
    """Sky light through a window, with a portal for the panorama outside."""
    x, y, z = window.centre
    inward = {"left": (1, 0), "right": (-1, 0), "back": (0, -1)}[window.side]
    turn = {"left": math.pi / 2, "right": -math.pi / 2, "back": 0}[window.side]
    out = 0.26
    spot = (x - inward[0] * out, y - inward[1] * out, z)
    portal(spot, (-math.pi / 2, 0, turn), window.width, window.height)
    near = (x - inward[0] * 0.17, y - inward[1] * 0.17, z)
    area(near, (-math.pi / 2, 0, turn), energy, color, window.width, window.height, 2.6)


def camera_flash(strength=12):
    """A small flash just above the lens, for snapshots; call it after placing the camera."""
    camera = bpy.context.scene.camera
    spot = camera.matrix_basis @ Vector((0.03, 0.07, 0.02))
    return area(spot, camera.rotation_euler, strength, (1, 0.98, 0.95), 0.06, 0.04)


def outdoors(mood=None):
    """Light the open air. Moods: sunny, overcast, golden, shade."""
    uniform = stage.random.uniform
    mood = mood or stage.random.choice(["sunny", "sunny", "overcast", "golden", "shade"])
    if mood == "golden":
        world(stage.random.choice(["sunset", "sunrise"]), uniform(0.7, 1.2), tint=(1.1, 1.0, 0.85))
        sun(uniform(0.2, 0.4), uniform(-2.6, 2.6), uniform(2, 4), (1, 0.78, 0.52), 0.015)
    else:
        name = stage.random.choice(["city", "courtyard", "forest", "sunrise", "courtyard"])
        world(name, uniform(0.7, 1.2))
        if mood == "sunny":
            side = stage.random.choice([-1, 1])
            sun(uniform(0.6, 1.15), side * uniform(1.2, 2.8), uniform(3, 6.5))
    return mood
