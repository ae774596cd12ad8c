"""Procedural materials. Colours are linear RGBA; `hsv` and `hexadecimal` convert to them.

A material function takes what it needs and draws the rest from `stage.random`, so that two
calls give two different oaks, linens or glazes.
"""

import colorsys
import math

import bpy

from . import stage

SOCKETS = {
    "color": "Base Color",
    "roughness": "Roughness",
    "metallic": "Metallic",
    "transmission": "Transmission Weight",
    "ior": "IOR",
    "sheen": "Sheen Weight",
    "sheen_roughness": "Sheen Roughness",
    "coat": "Coat Weight",
    "coat_roughness": "Coat Roughness",
    "subsurface": "Subsurface Weight",
    "subsurface_radius": "Subsurface Radius",
    "subsurface_scale": "Subsurface Scale",
    "specular": "Specular IOR Level",
    "emission": "Emission Color",
    "emission_strength": "Emission Strength",
    "alpha": "Alpha",
    "normal": "Normal",
}
BLACK, WHITE = (0, 0, 0, 1), (1, 1, 1, 1)


# --- colours ------------------------------------------------------------------------------


def hsv(hue, saturation, value):
    """Linear RGBA of an HSV colour as seen on a screen."""
    return (*(c**2.2 for c in colorsys.hsv_to_rgb(hue % 1, saturation, value)), 1)


def hexadecimal(code):
    """Linear RGBA of a web colour such as "b08d6e"."""
    return (*((int(code[i : i + 2], 16) / 255) ** 2.2 for i in (0, 2, 4)), 1)


def scaled(color, factor):
    """A colour made lighter or darker."""
    return (color[0] * factor, color[1] * factor, color[2] * factor, 1)


def blended(first, second, amount):
    """A colour between two others."""
    return (*(a * (1 - amount) + b * amount for a, b in zip(first[:3], second[:3], strict=True)), 1)


PALETTES = {
    "neutral": "e9e4da d8d0c3 c2b8a8 9c9287 7a736b 57534f 3a3836 242322 f2efe9 b3aea6",
    "earth": "a98467 8c6a4f 6f5440 c8a887 b59a7c 7d5a3c 5b4433 d6c2a5 94785c 4a3728",
    "blue": "5f7384 44586b 7d91a1 2f3f52 93a5b0 51697a 39506a b3c0c6",
    "green": "6d7a63 8a9479 4f5f4e 9aa38b 3f4c40 77826a a9b09c 5c6b58",
    "warm": "9c5b48 b5765a 8a4238 c08f6a a86a52 7b3b35 c99a78 b98a5e",
    "yellow": "c9a659 b8934a d4b97a a8843f c7a86c",
    "grey": "8d9092 6b6f72 a8abac 4c5053 c4c6c6 35383b",
    "pink": "b58f8a c9aca4 9e7874 d3bdb4",
}
ACCENTS = "a8322d c4652a c9972c 2f6b4f 23566f 7a2e4a 1f3f7a 3b7d7a d08a86 5a3d6b"
WALL_COLOURS = (
    "efece4 ece7dc e8e4dd f1efea e3ddd0 dfd9ce e6e0d2 d9d6cf cfd4d3 c9d0cf d7cfc2 c7bfae b9bda9 "
    "a9b3a4 aebac0 9fb0b8 c9b9a6 d4b8a3 b08f78 8f9a8c 7f8f96 6f7f86 5d6a66 d9c8a9 c9ad84 e4d3c6 "
    "cdb5ab 9c8f93 8c8478 57606a"
).split()


def natural_color(accent=0.12):
    """A colour such as things at home have: mostly muted, sometimes a strong accent."""
    if stage.chance(accent):
        return vary(hexadecimal(stage.random.choice(ACCENTS.split())))
    names = ["neutral", "neutral", "neutral", "earth", "earth", "blue", "green", "warm", "grey"]
    names += ["grey", "yellow", "pink"]
    palette = PALETTES[stage.random.choice(names)].split()
    return vary(hexadecimal(stage.random.choice(palette)))


def vary(color, amount=0.12):
    """The colour, a little lighter or darker and a little warmer or cooler."""
    k = 1 + stage.random.uniform(-amount, amount)
    warm = stage.random.uniform(-amount, amount) * 0.35
    return (color[0] * k * (1 + warm), color[1] * k, color[2] * k * (1 - warm), 1)


def wall_color():
    """A colour people paint walls with."""
    return vary(hexadecimal(stage.random.choice(WALL_COLOURS)), 0.06)


# --- the node-graph helper ----------------------------------------------------------------


class Shader:
    """A material under construction. Values may be numbers, colours or node outputs."""

    def __init__(self, name="material"):
        self.material = bpy.data.materials.new(name)
        if self.material.node_tree is None:
            self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.output = self.node("OutputMaterial")
        self.surface = self.node("BsdfPrincipled")
        self.link(self.surface.outputs[0], self.output.inputs[0])
        self.texture = self.node("TexCoord")
        self.object_coordinates = self.texture.outputs["Object"]
        self.mapping = self.node("Mapping")
        self.link(self.object_coordinates, self.mapping.inputs[0])
        self.coordinates = self.mapping.outputs[0]
        uniform = stage.random.uniform
        place = (uniform(-20, 20), uniform(-20, 20), uniform(-20, 20))
        self.mapping.inputs["Location"].default_value = place

    def node(self, kind, **settings):
        """A new shader node, for example node("TexNoise")."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def link(self, source, target):
        self.tree.links.new(source, target)

    def feed(self, socket, value):
        """Connect an output to a socket, or set the socket to a value."""
        if hasattr(value, "is_output"):
            self.link(value, socket)
        else:
            if isinstance(value, tuple) and len(value) == 3 and socket.type == "RGBA":
                value = (*value, 1)
            socket.default_value = value

    def set(self, **settings):
        """Set inputs of the principled surface by the names in SOCKETS."""
        for name, value in settings.items():
            self.feed(self.surface.inputs[SOCKETS[name]], value)
        return self

    def noise(self, scale, detail=4, roughness=0.5, distortion=0, stretch=None, coordinates=None):
        """Fractal noise, 0 to 1, around 0.5."""
        node = self.node("TexNoise")
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        node.inputs["Roughness"].default_value = roughness
        node.inputs["Distortion"].default_value = distortion
        coordinates = coordinates or self.coordinates
        if stretch:
            mapping = self.node("Mapping")
            mapping.inputs["Scale"].default_value = stretch
            self.link(coordinates, mapping.inputs[0])
            coordinates = mapping.outputs[0]
        self.link(coordinates, node.inputs["Vector"])
        return node.outputs[0]

    def voronoi(self, scale, output="Distance", randomness=1.0, coordinates=None, **settings):
        """Cells; output is "Distance" or "Color" (one grey value a cell)."""
        node = self.node("TexVoronoi", **settings)
        node.inputs["Scale"].default_value = scale
        node.inputs["Randomness"].default_value = randomness
        self.link(coordinates or self.coordinates, node.inputs["Vector"])
        if output == "Color":
            return self.separate(node.outputs["Color"])[0]
        return node.outputs[output]

    def wave(self, scale, direction="X", distortion=0, detail=2, coordinates=None):
        """Bands, 0 to 1."""
        node = self.node("TexWave", bands_direction=direction)
        node.inputs["Scale"].default_value = scale
        node.inputs["Distortion"].default_value = distortion
        node.inputs["Detail"].default_value = detail
        self.link(coordinates or self.coordinates, node.inputs["Vector"])
        return node.outputs[1]

    def brick(self, width, height, mortar, offset=0.5, coordinates=None, colors=None, **settings):
        """Rows of bricks; returns (grey or colour of the brick, mortar mask)."""
        node = self.node("TexBrick", offset=offset, **settings)
        first, second, joint = colors or (BLACK, WHITE, (0.5, 0.5, 0.5, 1))
        values = {
            "Scale": 1,
            "Brick Width": width,
            "Row Height": height,
            "Mortar Size": mortar,
            "Mortar Smooth": 0.2,
            "Color1": first,
            "Color2": second,
            "Mortar": joint,
        }
        for name, value in values.items():
            node.inputs[name].default_value = value
        self.link(coordinates or self.coordinates, node.inputs["Vector"])
        return node.outputs[0], node.outputs[1]

    def ramp(self, factor, stops, interpolation="LINEAR"):
        """A colour ramp; stops is a list of (position, colour)."""
        node = self.node("ValToRGB")
        node.color_ramp.interpolation = interpolation
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, color) in zip(elements, stops, strict=True):
            element.position = position
            element.color = color if len(color) == 4 else (*color, 1)
        self.link(factor, node.inputs[0])
        return node.outputs[0]

    def step(self, factor, low, high):
        """Black below low, white above high."""
        return self.ramp(factor, [(low, BLACK), (high, WHITE)])

    def mix(self, factor, first, second, mode="MIX"):
        """Blend two colours."""
        node = self.node("Mix", data_type="RGBA", blend_type=mode)
        for socket, value in ((0, factor), (6, first), (7, second)):
            self.feed(node.inputs[socket], value)
        return node.outputs[2]

    def math(self, operation, first, second=0.0):
        """Arithmetic on single values: "ADD", "MULTIPLY", "SINE", "MODULO" and so on."""
        node = self.node("Math", operation=operation)
        self.feed(node.inputs[0], first)
        self.feed(node.inputs[1], second)
        return node.outputs[0]

    def map_range(self, value, from_low, from_high, to_low, to_high):
        """Map an interval to another, clamped."""
        node = self.node("MapRange")
        for socket, number in enumerate((value, from_low, from_high, to_low, to_high)):
            self.feed(node.inputs[socket], number)
        return node.outputs[0]

    def separate(self, vector):
        """The three components of a vector or colour."""
        node = self.node("SeparateXYZ")
        self.link(vector, node.inputs[0])
        return node.outputs[0], node.outputs[1], node.outputs[2]

    def combine(self, x=0.0, y=0.0, z=0.0):
        """A vector of three values."""
        node = self.node("CombineXYZ")
        for socket, value in zip(node.inputs, (x, y, z), strict=True):
            self.feed(socket, value)
        return node.outputs[0]

    def add_vectors(self, first, second):
        node = self.node("VectorMath", operation="ADD")
        self.feed(node.inputs[0], first)
        self.feed(node.inputs[1], second)
        return node.outputs[0]

    def adjust(self, color, hue=0.5, saturation=1.0, value=1.0):
        """Shift hue (0.5 keeps it), saturation and value of a colour."""
        node = self.node("HueSaturation")
        self.feed(node.inputs["Hue"], hue)
        self.feed(node.inputs["Saturation"], saturation)
        self.feed(node.inputs["Value"], value)
        self.feed(node.inputs["Color"], color)
        return node.outputs[0]

    def object_random(self):
        """A value from 0 to 1 that differs from object to object."""
        return self.node("ObjectInfo").outputs["Random"]

    def bump(self, height, strength=0.3, distance=0.01):
        """Add fine relief; several calls add up."""
        node = self.node("Bump")
        node.inputs["Strength"].default_value = strength
        node.inputs["Distance"].default_value = distance
        self.link(height, node.inputs["Height"])
        earlier = self.surface.inputs["Normal"].links
        if earlier:
            self.link(earlier[0].from_socket, node.inputs["Normal"])
        self.link(node.outputs[0], self.surface.inputs["Normal"])
        return self


# --- paints, metals, glass ------------------------------------------------------------------


def paint(color, roughness=0.5, metallic=0, variation=0.12, bump=0, bump_scale=60, **settings):
    """A plain painted, lacquered or moulded surface, slightly uneven in tone and gloss."""
    shader = Shader("paint")
    tone = shader.noise(3, 5)
    gloss = shader.noise(8, 4)
    shader.set(
        color=shader.mix(tone, scaled(color, 1 - variation), scaled(color, 1 + variation)),
        roughness=shader.map_range(
            gloss, 0.3, 0.7, max(0.03, roughness - 0.08), min(1, roughness + 0.08)
        ),
        metallic=metallic,
        **settings,
    )
    if bump:
        shader.bump(shader.noise(bump_scale, 4), bump, 0.004)
    return shader.material


def plastic(color=None, roughness=0.35):
    """Moulded plastic."""
    return paint(color or natural_color(0.3), roughness, variation=0.05)


def white_paint():
    """The white or off-white lacquer of doors, skirtings and flat-pack furniture."""
    color = stage.random.choice(["ecebe6", "e8e5dc", "dfdcd3", "f0efec"])
    return paint(hexadecimal(color), stage.random.uniform(0.3, 0.5), variation=0.05)


def black_paint():
    """Black or anthracite lacquer."""
    return paint(hexadecimal(stage.random.choice(["1c1c1d", "262627", "303133"])), 0.4)


def ceramic(color=None, roughness=None):
    """Glazed earthenware or porcelain, sometimes speckled."""
    color = color or stage.random.choice(
        [hexadecimal("e6e2d8"), hexadecimal("ece9e2"), hexadecimal("2d2e30"), natural_color()]
    )
    shader = Shader("ceramic")
    base = shader.mix(shader.noise(2.5, 4), scaled(color, 0.86), scaled(color, 1.08))
    if stage.chance(0.3):
        speckle = shader.step(shader.noise(stage.random.uniform(60, 120), 2), 0.64, 0.68)
        base = shader.mix(shader.math("MULTIPLY", speckle, 0.6), base, scaled(color, 0.25))
    roughness = roughness if roughness is not None else stage.random.choice([0.12, 0.2, 0.5])
    shader.set(color=base, roughness=roughness, coat=0.3 if roughness < 0.3 else 0)
    return shader.material


def metal(color=(0.7, 0.7, 0.7, 1), roughness=0.25):
    """Bare metal, slightly smudged."""
    return paint(color, roughness, 1, 0.06)


METALS = {
    "steel": ("c9c8c5", 0.25),
    "chrome": ("e2e2e2", 0.08),
    "brass": ("b8924f", 0.3),
    "black": ("242424", 0.45),
    "copper": ("b4704c", 0.3),
    "aluminium": ("b9babb", 0.4),
}


def any_metal(*names):
    """One of the METALS, or one of the given names."""
    code, roughness = METALS[stage.random.choice(names or tuple(METALS))]
    return metal(hexadecimal(code), roughness)


def rusty(color=None):
    """Old paint over metal with rust coming through."""
    color = color or natural_color(0.4)
    shader = Shader("rusty")
    patches = shader.step(shader.noise(14, 6, 0.7), 0.52, 0.6)
    rust = shader.mix(shader.noise(40, 4), hexadecimal("5a3520"), hexadecimal("8a5330"))
    shader.set(
        color=shader.mix(patches, color, rust), roughness=shader.map_range(patches, 0, 1, 0.4, 0.9)
    )
    return shader.bump(patches, 0.3, 0.002).material


def glass(color=(0.95, 0.98, 0.96, 1), roughness=0.0, ior=1.45, shadow=0.75):
    """Solid glass whose shadow lets a share of the light through."""
    shader = Shader("glass")
    shader.set(color=color, roughness=roughness, transmission=1, ior=ior)
    path = shader.node("LightPath")
    clear = shader.node("BsdfTransparent")
    clear.inputs[0].default_value = scaled(color, shadow)
    mixed = shader.node("MixShader")
    shader.link(path.outputs["Is Shadow Ray"], mixed.inputs[0])
    shader.link(shader.surface.outputs[0], mixed.inputs[1])
    shader.link(clear.outputs[0], mixed.inputs[2])
    shader.link(mixed.outputs[0], shader.output.inputs[0])
    return shader.material


def window_pane():
    """A thin pane: mostly transparent with a faint reflection, also for shadow rays."""
    shader = Shader("pane")
    clear = shader.node("BsdfTransparent")
    clear.inputs[0].default_value = (0.93, 0.96, 0.95, 1)
    mirror = shader.node("BsdfGlossy")
    mirror.inputs["Roughness"].default_value = 0.02
    mixed = shader.node("MixShader")
    mixed.inputs[0].default_value = 0.06
    shader.link(clear.outputs[0], mixed.inputs[1])
    shader.link(mirror.outputs[0], mixed.inputs[2])
    shader.link(mixed.outputs[0], shader.output.inputs[0])
    return shader.material


def mirror():
    """A looking glass."""
    return paint((0.8, 0.82, 0.81, 1), 0.03, 1, 0.01)


def emission(color, strength):
    """A glowing surface."""
    shader = Shader("emission")
    node = shader.node("Emission")
    node.inputs[0].default_value = color
    node.inputs[1].default_value = strength
    shader.link(node.outputs[0], shader.output.inputs[0])
    return shader.material


# --- wood -----------------------------------------------------------------------------------

#: (light, dark) tones of wood.
WOODS = {
    "oak": ("b8966c", "97764f"),
    "light oak": ("cbb08a", "b3956c"),
    "walnut": ("795539", "543823"),
    "dark": ("4a3527", "2f2119"),
    "beech": ("cfa97f", "b98f66"),
    "pine": ("d4b483", "bb945f"),
    "teak": ("96683f", "71492a"),
    "grey": ("a49a8c", "857b6e"),
    "birch": ("dccbac", "c8b491"),
    "mahogany": ("73432f", "4d2a1d"),
}


def wood_tone(name=None):
    """A (light, dark) pair of colours of one kind of wood, slightly varied."""
    name = name or stage.random.choice(tuple(WOODS))
    light, dark = (hexadecimal(code) for code in WOODS[name])
    factor = stage.random.uniform(0.88, 1.1)
    return scaled(light, factor), scaled(dark, factor)


def wood(axis=0, tone=None, gloss=0, roughness=None):
    """Wood with its grain along axis 0, 1 or 2; tone as from `wood_tone`, or a name."""
    light, dark = wood_tone(tone) if tone is None or isinstance(tone, str) else tone
    roughness = roughness or stage.random.uniform(0.28, 0.55)
    shader = Shader("wood")
    stretch = [14, 14, 14]
    stretch[axis] = 1.0
    figure = shader.noise(1.3, 6, 0.6, 0.6, stretch)
    pores = shader.noise(9, 3, 0.7, 0, stretch)
    color = shader.ramp(figure, [(0.30, dark), (0.5, light), (0.72, blended(light, dark, 0.25))])
    color = shader.mix(shader.map_range(pores, 0.45, 0.75, 0, 0.5), color, scaled(dark, 0.75))
    worn = shader.map_range(shader.noise(1.1, 4), 0.35, 0.7, 0.94, 1.07)
    shader.set(
        color=shader.adjust(color, value=worn),
        roughness=shader.map_range(pores, 0.3, 0.7, roughness, roughness + 0.15),
        coat=gloss,
        coat_roughness=0.15,
    )
    return shader.bump(pores, 0.12, 0.003).material


def weathered_wood(axis=0):
    """Grey outdoor wood with open grain."""
    light, dark = stage.random.choice(
        [("9b9387", "6b645a"), ("a08c74", "6d5a47"), ("857c72", "56504a"), ("8f7458", "5f4936")]
    )
    shader = Shader("weathered")
    stretch = [18, 18, 18]
    stretch[axis] = 0.8
    grain = shader.noise(1.6, 6, 0.7, 0.4, stretch)
    color = shader.ramp(grain, [(0.3, hexadecimal(dark)), (0.65, hexadecimal(light))])
    stain = shader.map_range(shader.noise(2, 5), 0.4, 0.7, 0, 0.4)
    shader.set(color=shader.mix(stain, color, scaled(hexadecimal(dark), 0.6)), roughness=0.9)
    return shader.bump(grain, 0.5, 0.006).material


def planks(tone=None):
    """A plank floor, each plank with a grain and tone of its own."""
    light, dark = wood_tone(tone) if tone is None or isinstance(tone, str) else tone
    uniform = stage.random.uniform
    shader = Shader("planks")
    turn = stage.random.choice([0, math.pi / 2])
    shader.mapping.inputs["Rotation"].default_value = (0, 0, turn)
    plank, gap = shader.brick(
        uniform(0.8, 1.8), uniform(0.07, 0.2), 0.0022, uniform(0.3, 0.6), offset_frequency=2
    )
    shift = shader.combine(
        shader.math("MULTIPLY", plank, 37.0), shader.math("MULTIPLY", plank, 11.0)
    )
    own = shader.add_vectors(shader.coordinates, shift)
    figure = shader.noise(1.2, 6, 0.62, 0.5, (1, 13, 13), own)
    pores = shader.noise(8, 3, 0.7, 0, (1, 16, 16), own)
    color = shader.ramp(figure, [(0.3, dark), (0.52, light), (0.75, blended(light, dark, 0.2))])
    color = shader.mix(shader.map_range(pores, 0.45, 0.75, 0, 0.45), color, scaled(dark, 0.75))
    contrast = uniform(0.04, 0.2)
    color = shader.adjust(color, value=shader.map_range(plank, 0, 1, 1 - contrast, 1 + contrast))
    roughness = uniform(0.25, 0.5)
    shader.set(
        color=shader.mix(gap, color, scaled(dark, 0.3)),
        roughness=shader.map_range(pores, 0.3, 0.7, roughness, roughness + 0.2),
    )
    return shader.bump(gap, -0.5, 0.002).bump(pores, 0.06, 0.002).material


# --- stone, tiles, walls --------------------------------------------------------------------


def tiles(size=None, color=None, roughness=0.15, aspect=1, grout=None, offset=0, vertical=False):
    """Floor or wall tiles (vertical=True for a wall facing -y)."""
    uniform = stage.random.uniform
    color = color or vary(
        hexadecimal(
            stage.random.choice(
                "e4e0d6 d3cdc0 b9b2a6 8f8a82 5c5a57 c7b49a a58b6f 7f8b8c e9e7e2 9a6a50".split()
            )
        )
    )
    size = size or uniform(0.2, 0.6)
    shader = Shader("tiles")
    if vertical:
        shader.mapping.inputs["Rotation"].default_value = (math.pi / 2, 0, 0)
    spread = stage.random.choice([0.97, 0.95, uniform(0.75, 0.9)])
    joint = grout or vary(hexadecimal("b5afa5"))
    tile, gap = shader.brick(
        size * aspect,
        size,
        0.004,
        offset,
        colors=(scaled(color, spread), scaled(color, 1.04), joint),
    )
    cloud = shader.map_range(shader.noise(4, 6, 0.65), 0.4, 0.7, 0, 0.3)
    shader.set(
        color=shader.mix(cloud, tile, scaled(color, 0.75)),
        roughness=shader.map_range(gap, 0, 1, roughness, 0.8),
    )
    return shader.bump(gap, -0.6, 0.003).material


def paving():
    """Outdoor slabs or setts."""
    color = hexadecimal(stage.random.choice("9d978d b3aca0 86827c a39480 8e7a6b".split()))
    size = stage.random.choice([0.12, 0.2, 0.3, 0.4, 0.5])
    return tiles(
        size, vary(color), 0.8, stage.random.choice([1, 1.5, 2]), hexadecimal("5c564e"), 0.5
    )


def bricks(turned=True):
    """A brick wall (turned: for a wall facing -y)."""
    color = vary(
        hexadecimal(stage.random.choice("96583f a3674a 7f4a38 b5835f c7b299 8c7466 b9aa98".split()))
    )
    shader = Shader("bricks")
    if turned:
        shader.mapping.inputs["Rotation"].default_value = (math.pi / 2, 0, 0)
    wobble = shader.noise(14, 3)
    offset = shader.combine(*(shader.math("MULTIPLY", wobble, 0.012) for _ in range(2)))
    brick, joint = shader.brick(
        0.215,
        0.072,
        0.006,
        coordinates=shader.add_vectors(shader.coordinates, offset),
        colors=(scaled(color, 0.62), scaled(color, 1.2), hexadecimal("b0a898")),
    )
    grain = shader.noise(30, 5, 0.7)
    dirt = shader.noise(1.2, 5)
    result = shader.mix(shader.map_range(grain, 0.4, 0.7, 0, 0.5), brick, scaled(color, 0.4))
    result = shader.mix(shader.map_range(dirt, 0.45, 0.75, 0, 0.4), result, hexadecimal("8a8072"))
    shader.set(color=result, roughness=0.9)
    return shader.bump(joint, -0.8, 0.008).bump(grain, 0.3, 0.004).material


def plaster(color=None):
    """A painted wall: nearly even, faint clouds, fine orange-peel texture."""
    color = color or wall_color()
    shader = Shader("plaster")
    cloud = shader.map_range(shader.noise(0.8, 5), 0.35, 0.7, 0, 0.14)
    shader.set(color=shader.mix(cloud, color, scaled(color, 0.76)), roughness=0.85)
    return shader.bump(shader.noise(120, 3), 0.10, 0.003).material


def render_wall(color=None):
    """Rough outdoor render with dirt and rain streaks."""
    color = color or wall_color()
    shader = Shader("render")
    streak = shader.map_range(shader.noise(2, 6, 0.65, 0, (4, 4, 0.5)), 0.45, 0.75, 0, 0.4)
    blotch = shader.map_range(shader.noise(0.7, 6), 0.45, 0.7, 0, 0.35)
    tone = shader.mix(streak, scaled(color, 0.9), scaled(color, 0.55))
    shader.set(color=shader.mix(blotch, tone, scaled(color, 0.7)), roughness=0.95)
    return shader.bump(shader.noise(70, 4, 0.7), 0.5, 0.008).material


def wallpaper():
    """Pale patterned paper: stripes, dots or flourishes, two close tones."""
    color = wall_color()
    second = scaled(color, stage.random.choice([0.72, 0.8, 0.88, 1.12]))
    shader = Shader("wallpaper")
    kind = stage.random.choice(["stripes", "dots", "flourish", "leaves"])
    if kind == "stripes":
        figure = shader.step(shader.wave(stage.random.uniform(1, 3.5)), 0.45, 0.55)
    elif kind == "dots":
        cells = shader.voronoi(stage.random.uniform(5, 10), randomness=stage.random.choice([0, 1]))
        figure = shader.ramp(cells, [(0.25, WHITE), (0.32, BLACK)])
    elif kind == "flourish":
        figure = shader.step(shader.noise(7, 2, distortion=2.5), 0.48, 0.54)
    else:
        figure = shader.step(shader.noise(9, 1, distortion=4, stretch=(1, 1, 0.5)), 0.5, 0.56)
    shader.set(color=shader.mix(figure, color, second), roughness=0.8)
    return shader.bump(shader.noise(150, 2), 0.06, 0.002).material


def concrete(color=None):
    """Grey concrete with pores and stains."""
    color = color or vary(hexadecimal("8f8c86"))
    shader = Shader("concrete")
    stain = shader.map_range(shader.noise(1.5, 6, 0.6), 0.35, 0.7, 0, 0.5)
    pores = shader.voronoi(45)
    shader.set(color=shader.mix(stain, color, scaled(color, 0.65)), roughness=0.9)
    return shader.bump(shader.noise(40, 5), 0.25, 0.004).bump(pores, 0.1, 0.003).material


def marble(color=None):
    """Stone for counters and table tops: veined or speckled, half polished."""
    color = color or hexadecimal(stage.random.choice("e3dfd8 cfcac2 5d5b58 3b3a39 b6aa9a".split()))
    shader = Shader("marble")
    if stage.chance(0.5):
        vein = shader.math("ABSOLUTE", shader.math("SUBTRACT", shader.noise(2.2, 7, 0.6, 0.8), 0.5))
        figure = shader.ramp(vein, [(0.0, WHITE), (0.035, BLACK)])
        amount = shader.math("MULTIPLY", figure, 0.45)
    else:
        amount = shader.step(shader.noise(90, 3), 0.5, 0.62)
    other = scaled(color, 0.5 if color[0] > 0.2 else 2.5)
    shader.set(color=shader.mix(amount, color, other), roughness=0.22)
    return shader.material


def gravel(color=None):
    """Fine pebbles in close tones."""
    color = color or vary(hexadecimal(stage.random.choice(["a69a88", "9a9690", "b3a68f"])))
    shader = Shader("gravel")
    cells = shader.voronoi(95, "Color")
    tone = shader.mix(cells, scaled(color, 0.62), scaled(color, 1.15))
    patch = shader.map_range(shader.noise(1.2, 5), 0.35, 0.65, 0.85, 1.1)
    shader.set(color=shader.adjust(tone, value=patch), roughness=0.9)
    return shader.bump(shader.voronoi(95), -1, 0.012).material


def lawn():
    """Mown grass seen from some way off: short strokes of green with dry patches."""
    color = hsv(stage.random.uniform(0.19, 0.26), stage.random.uniform(0.38, 0.6), 0.36)
    shader = Shader("lawn")
    strokes = shader.noise(120, 4, 0.7, 1.0)
    tone = shader.mix(strokes, scaled(color, 0.35), scaled(color, 1.5))
    dry = shader.map_range(shader.noise(1.1, 5), 0.5, 0.75, 0, 0.6)
    tone = shader.mix(dry, tone, hexadecimal("8f8558"))
    return shader.set(color=tone, roughness=0.9).bump(strokes, 1.0, 0.02).material


def asphalt():
    """Road surface with fine grain and patches."""
    color = vary(hexadecimal("5a5a5b"))
    shader = Shader("asphalt")
    grain = shader.noise(160, 4)
    patch = shader.map_range(shader.noise(0.9, 5), 0.4, 0.65, 0.8, 1.1)
    base = shader.mix(grain, scaled(color, 0.6), scaled(color, 1.4))
    shader.set(color=shader.adjust(base, value=patch), roughness=0.92)
    return shader.bump(grain, 0.8, 0.004).material


def soil():
    """Dark earth."""
    shader = Shader("soil")
    lumps = shader.noise(45, 5, 0.7)
    base = shader.mix(lumps, hexadecimal("2c231c"), hexadecimal("5a4838"))
    return shader.set(color=base, roughness=1.0).bump(lumps, 1, 0.012).material


def terracotta():
    """Unglazed fired clay, sometimes with lime bloom."""
    color = vary(hexadecimal(stage.random.choice(["a8684a", "b5785a", "96583f", "c08c6a"])))
    shader = Shader("terracotta")
    bloom = shader.map_range(
        shader.noise(5, 6, 0.65), 0.48, 0.72, 0, stage.random.uniform(0.1, 0.6)
    )
    base = shader.mix(shader.noise(18, 4), scaled(color, 0.85), scaled(color, 1.1))
    shader.set(color=shader.mix(bloom, base, hexadecimal("c9bba8")), roughness=0.88)
    return shader.bump(shader.noise(60, 4), 0.2, 0.004).material


# --- cloth, leather, basketry ---------------------------------------------------------------


def fabric(color=None, pattern=None, scale=1):
    """Woven cloth; pattern is "plain", "stripes", "dots", "blotches", "check" or "melange"."""
    color = color or natural_color(0.08)
    pattern = pattern or stage.random.choice(
        ["plain", "plain", "plain", "melange", "melange", "stripes", "check", "dots", "blotches"]
    )
    shader = Shader("fabric")
    weave = None
    for direction in "XYZ":
        threads = shader.wave(75 * scale, direction, 1.5, 1)
        weave = threads if weave is None else shader.math("MULTIPLY", weave, threads)
    worn = shader.map_range(shader.noise(5, 5, 0.7), 0.3, 0.7, 0, 1)
    base = shader.mix(worn, scaled(color, 0.8), scaled(color, 1.1))
    other = blended(color, natural_color(), 0.75)
    if pattern == "stripes":
        bands = shader.wave(stage.random.uniform(2, 7), stage.random.choice("XYZ"))
        base = shader.mix(shader.step(bands, 0.5, 0.56), base, other)
    elif pattern == "check":
        frequency = stage.random.uniform(2.5, 6)
        for direction in stage.random.sample("XYZ", 2):
            bands = shader.step(shader.wave(frequency, direction), 0.5, 0.56)
            base = shader.mix(shader.math("MULTIPLY", bands, 0.5), base, other)
    elif pattern == "dots":
        cells = shader.voronoi(
            stage.random.uniform(10, 24), randomness=stage.random.choice([0, 0.8])
        )
        base = shader.mix(shader.ramp(cells, [(0.25, WHITE), (0.33, BLACK)]), base, other)
    elif pattern == "blotches":
        blotch = shader.step(shader.noise(6, 3, distortion=1.5), 0.5, 0.56)
        base = shader.mix(blotch, base, other)
    fleck = 0.6 if pattern == "melange" else 0.3
    grain = shader.map_range(shader.noise(180, 2), 0.3, 0.7, 0, fleck)
    base = shader.mix(grain, base, scaled(color, 0.55))
    shader.set(color=base, roughness=0.95, sheen=0.25, sheen_roughness=0.4)
    return shader.bump(shader.noise(9, 4), 0.3, 0.012).bump(weave, 0.35, 0.002).material


def velvet(color=None):
    """Velvet: dark in front, light at grazing angles."""
    color = color or natural_color(0.35)
    shader = Shader("velvet")
    brushed = shader.map_range(shader.noise(4, 5, 0.65), 0.35, 0.65, 0.75, 1.2)
    shader.set(color=shader.adjust(scaled(color, 0.8), value=brushed), roughness=0.9, sheen=0.7)
    shader.set(sheen_roughness=0.3)
    return shader.bump(shader.noise(8, 4), 0.25, 0.01).material


def knit(color=None, scale=1):
    """Chunky knitting, for blankets and cushions."""
    color = color or natural_color(0.1)
    shader = Shader("knit")
    loops = shader.math(
        "MULTIPLY",
        shader.wave(28 * scale, "X", 2, 1),
        shader.math("ADD", shader.wave(19 * scale, "Y", 3, 1), 0.4),
    )
    base = shader.mix(loops, scaled(color, 0.55), scaled(color, 1.1))
    shader.set(color=base, roughness=1.0, sheen=0.4)
    return shader.bump(loops, 0.8, 0.008).material


def leather(color=None):
    """Leather with fine grain and soft creases."""
    codes = "4a3426 6b4a33 2b2725 8f6b4a a88f73 5a2f28 d8cfc0 3a3f45 7d4f32"
    color = color or vary(hexadecimal(stage.random.choice(codes.split())))
    shader = Shader("leather")
    grain = shader.voronoi(140)
    shader.set(
        color=shader.mix(shader.noise(4, 6), scaled(color, 0.75), scaled(color, 1.2)),
        roughness=shader.map_range(shader.noise(12, 4), 0.3, 0.7, 0.32, 0.52),
    )
    return shader.bump(shader.noise(7, 4), 0.4, 0.012).bump(grain, 0.2, 0.002).material


def rattan(color=None, scale=1):
    """Basketry: crossed canes with deep gaps."""
    color = color or vary(
        hexadecimal(stage.random.choice(["b08f62", "c2a67c", "8a683f", "6b4f33"]))
    )
    shader = Shader("rattan")
    across = shader.math("ADD", shader.wave(22 * scale, "X"), shader.wave(22 * scale, "Y"))
    woven = shader.math("MULTIPLY", across, shader.wave(30 * scale, "Z"))
    tone = shader.map_range(woven, 0.1, 1.0, 0, 1)
    base = shader.mix(tone, scaled(color, 0.3), scaled(color, 1.1))
    base = shader.mix(
        shader.map_range(shader.noise(12, 4), 0.4, 0.7, 0, 0.4), base, scaled(color, 0.5)
    )
    return shader.set(color=base, roughness=0.7).bump(woven, 0.9, 0.01).material


def cardboard():
    """Brown corrugated board."""
    return paint(vary(hexadecimal("b08d66")), 0.9, variation=0.08, bump=0.1, bump_scale=30)


def paper(color=None):
    """Paper with faint lines of print."""
    shader = Shader("paper")
    color = color or hexadecimal("e6e2d9")
    lines = shader.step(shader.wave(stage.random.uniform(18, 30), "Y"), 0.6, 0.7)
    words = shader.step(shader.noise(60, 1, stretch=(1, 0.1, 1)), 0.45, 0.5)
    ink = shader.math("MULTIPLY", shader.math("MULTIPLY", lines, words), 0.5)
    return shader.set(color=shader.mix(ink, color, (0.05, 0.05, 0.05, 1)), roughness=0.8).material


# --- plants ---------------------------------------------------------------------------------


def leaf_color():
    """A plant green, from olive to bluish."""
    uniform = stage.random.uniform
    return hsv(uniform(0.20, 0.36), uniform(0.35, 0.68), uniform(0.26, 0.5))


def leaf(color=None, roughness=None):
    """A leaf that lets light through and differs in tone from its neighbours."""
    color = color or leaf_color()
    shader = Shader("leaf")
    own = shader.object_random()
    tone = shader.mix(shader.noise(9, 4), scaled(color, 0.6), scaled(color, 1.35))
    tone = shader.adjust(
        tone,
        hue=shader.map_range(own, 0, 1, 0.475, 0.525),
        value=shader.map_range(own, 0, 1, 0.78, 1.22),
    )
    shader.set(color=tone, roughness=roughness or stage.random.uniform(0.32, 0.55))
    shader.bump(shader.noise(25, 3), 0.2, 0.004)
    translucent = shader.node("BsdfTranslucent")
    shader.link(shader.mix(1.0, tone, (1.5, 1.6, 0.55, 1), "MULTIPLY"), translucent.inputs[0])
    mixed = shader.node("MixShader")
    mixed.inputs[0].default_value = 0.3
    shader.link(shader.surface.outputs[0], mixed.inputs[1])
    shader.link(translucent.outputs[0], mixed.inputs[2])
    shader.link(mixed.outputs[0], shader.output.inputs[0])
    return shader.material


# --- pictures -------------------------------------------------------------------------------


def panorama(strength=1, emissive=True, zoom=0.25, name=None):
    """A flat picture cut out of a bundled CC0 panorama; object x and z in metres are its axes.

    Emissive for a television that is on, otherwise a print for a frame.
    """
    shader = Shader("panorama")
    name = name or stage.random.choice(stage.PANORAMAS)
    image = bpy.data.images.load(stage.bundled(name), check_existing=True)
    texture = shader.node("TexImage", extension="MIRROR")
    texture.image = image
    x, _, z = shader.separate(shader.object_coordinates)
    u = shader.math("ADD", shader.math("MULTIPLY", x, zoom), stage.random.random())
    v = shader.math("ADD", shader.math("MULTIPLY", z, zoom * 2), stage.random.uniform(0.48, 0.6))
    shader.link(shader.combine(u, v), texture.inputs[0])
    if emissive:
        shader.set(
            color=(0.01, 0.01, 0.01, 1),
            roughness=0.12,
            emission=texture.outputs[0],
            emission_strength=strength,
        )
    else:
        shader.set(color=texture.outputs[0], roughness=0.4)
    return shader.material


def artwork():
    """Abstract wall art: washes, cut shapes or a horizon."""
    colors = [natural_color(0.3) for _ in range(5)]
    shader = Shader("artwork")
    kind = stage.random.choice(["wash", "shapes", "horizon"])
    if kind == "wash":
        field = shader.noise(stage.random.uniform(2, 5), 4, distortion=stage.random.uniform(1, 4))
        stops = [0.3, 0.42, 0.5, 0.58, 0.7]
        color = shader.ramp(field, list(zip(stops, colors, strict=True)))
    elif kind == "shapes":
        measure = stage.random.choice(["EUCLIDEAN", "MANHATTAN", "CHEBYCHEV"])
        cells = shader.voronoi(stage.random.uniform(3, 8), "Color", distance=measure)
        color = shader.ramp(
            cells, list(zip([0, 0.25, 0.5, 0.75, 0.9], colors, strict=True)), "CONSTANT"
        )
    else:
        field = shader.noise(1.5, 1, stretch=(0.3, 1, 3))
        color = shader.ramp(field, list(zip([0.3, 0.5, 0.7], colors[:3], strict=True)))
    return shader.set(color=color, roughness=0.6).material
