"""Cats: six poses, 16 coats, short or long fur; about 45 cm long without the tail."""

import math

import numpy as np
from mathutils import Matrix, Vector

from . import organic, stage
from .geometry import ball, tube
from .materials import paint
from .organic import Body, Fleece, mixed, noise, smoothstep

# ---------------------------------------------------------------------------- poses
# A pose adds limbs to the body (x forward, y left, knots are x, y, z, radius) and returns the
# place of the head and the direction in which it naturally looks (yaw, pitch in radians).


def _sit(body):
    """Sitting upright, forelegs straight, the tail curled around a flank."""
    lean = stage.random.uniform(-0.015, 0.02)
    body.limb(
        "torso",
        (0.055 + lean, 0, 0.285, 0.050),
        (0.040 + lean, 0, 0.255, 0.060),
        (0.010, 0, 0.205, 0.071),
        (-0.040, 0, 0.150, 0.081),
        (-0.085, 0, 0.095, 0.084),
    )
    body.limb("chest", (0.068 + lean, 0, 0.275, 0.043), (0.060, 0, 0.205, 0.050))
    body.limb("neck", (0.078 + lean, 0, 0.325, 0.047), (0.050 + lean, 0, 0.275, 0.056))
    for side in (1, -1):
        spread = stage.random.uniform(0.8, 1.1) * side
        body.limb(
            "foreleg",
            (0.045, 0.042 * side, 0.225, 0.038),
            (0.060, 0.043 * side, 0.145, 0.027),
            (0.080, 0.034 * spread, 0.055, 0.0195),
            (0.086, 0.033 * spread, 0.020, 0.0205),
            (0.106, 0.034 * spread, 0.017, 0.0195),
        )
        body.limb(
            "thigh",
            (-0.085, 0.055 * side, 0.110, 0.062),
            (-0.040, 0.082 * side, 0.075, 0.056),
            (0.005, 0.092 * side, 0.052, 0.036),
        )
        body.limb(
            "hindfoot",
            (-0.040, 0.092 * side, 0.020, 0.019),
            (0.045, 0.086 * side, 0.018, 0.0195),
            (0.060, 0.084 * side, 0.017, 0.0190),
        )
    side = stage.random.choice((1, -1))
    reach = stage.random.uniform(0.0, 0.10)
    body.limb(
        "tail",
        (-0.150, 0.000, 0.045, 0.026),
        (-0.190, 0.060 * side, 0.024, 0.021),
        (-0.165, 0.135 * side, 0.020, 0.019),
        (-0.090, 0.165 * side, 0.019, 0.018),
        (-0.040 + reach, 0.160 * side, 0.018, 0.016),
    )
    return Vector((0.096 + lean, 0, 0.362)), 0.0, 0.12


def _loaf(body):
    """Lying compactly with the forepaws tucked under the chest."""
    paws_out = stage.random.random() < 0.4
    body.limb(
        "torso",
        (0.125, 0, 0.100, 0.050),
        (0.080, 0, 0.090, 0.066),
        (-0.020, 0, 0.092, 0.080),
        (-0.105, 0, 0.088, 0.082),
        (-0.160, 0, 0.075, 0.066),
    )
    body.limb("chest", (0.130, 0, 0.085, 0.045), (0.105, 0, 0.055, 0.050))
    body.limb("neck", (0.155, 0, 0.150, 0.047), (0.120, 0, 0.115, 0.050))
    for side in (1, -1):
        if paws_out:
            body.limb(
                "foreleg",
                (0.090, 0.052 * side, 0.070, 0.040),
                (0.130, 0.050 * side, 0.028, 0.025),
                (0.215, 0.036 * side, 0.020, 0.0195),
                (0.232, 0.035 * side, 0.018, 0.0200),
            )
        else:
            body.limb(
                "foreleg",
                (0.090, 0.055 * side, 0.070, 0.042),
                (0.125, 0.052 * side, 0.030, 0.027),
                (0.160, 0.020 * side, 0.022, 0.020),
            )
        body.limb(
            "thigh",
            (-0.130, 0.060 * side, 0.080, 0.060),
            (-0.075, 0.082 * side, 0.060, 0.046),
            (-0.035, 0.090 * side, 0.040, 0.030),
        )
        body.limb(
            "hindfoot",
            (-0.080, 0.092 * side, 0.020, 0.018),
            (-0.010, 0.092 * side, 0.018, 0.018),
        )
    side = stage.random.choice((1, -1))
    body.limb(
        "tail",
        (-0.215, 0.000, 0.045, 0.026),
        (-0.240, 0.060 * side, 0.022, 0.021),
        (-0.190, 0.125 * side, 0.019, 0.018),
        (-0.090, 0.140 * side, 0.018, 0.017),
        (0.000, 0.130 * side, 0.017, 0.015),
    )
    return Vector((0.180, 0, 0.188)), 0.0, 0.08


def _side(body):
    """Lying on a flank, legs stretched out to -y, the head up and looking along the legs."""
    stretch = stage.random.uniform(0.75, 1.1)
    body.limb(
        "torso",
        (0.125, 0.000, 0.085, 0.046),
        (0.085, 0.000, 0.072, 0.062),
        (-0.010, 0.010, 0.072, 0.072),
        (-0.095, 0.010, 0.072, 0.072),
        (-0.165, 0.000, 0.066, 0.064),
    )
    body.limb("chest", (0.130, -0.025, 0.080, 0.044), (0.095, -0.040, 0.060, 0.046))
    body.limb("neck", (0.150, -0.012, 0.138, 0.046), (0.125, 0.0, 0.095, 0.050))
    for lift, shift in ((0.0, 0.0), (0.028, 0.045)):
        body.limb(
            "foreleg",
            (0.100, -0.040, 0.055 + lift * 0.6, 0.038),
            (0.120 + shift, -0.100, 0.030 + lift, 0.025),
            (0.115 + shift, -0.175 * stretch, 0.022 + lift * 0.5, 0.0185),
            (0.120 + shift, -0.200 * stretch, 0.020 + lift * 0.3, 0.0200),
        )
        body.limb(
            "thigh",
            (-0.160, -0.020, 0.060 + lift, 0.060),
            (-0.110, -0.085, 0.045 + lift, 0.040),
            (-0.165 + shift * 0.5, -0.145 * stretch, 0.026 + lift, 0.021),
        )
        body.limb(
            "hindfoot",
            (-0.165 + shift * 0.5, -0.145 * stretch, 0.024 + lift, 0.020),
            (-0.130 + shift, -0.225 * stretch, 0.019 + lift * 0.4, 0.0185),
            (-0.125 + shift, -0.245 * stretch, 0.018 + lift * 0.3, 0.0185),
        )
    body.limb(
        "tail",
        (-0.220, 0.000, 0.040, 0.025),
        (-0.300, -0.020, 0.022, 0.020),
        (-0.360, -0.085, 0.019, 0.018),
        (-0.370, stage.random.uniform(-0.22, -0.14), 0.018, 0.016),
    )
    return Vector((0.172, -0.030, 0.178)), -0.95, 0.06


def _curl(body):
    """Curled up asleep: the back is an arc, the chin rests on the hind feet."""
    side = stage.random.choice((1, -1))

    def arc(degrees, distance, height, radius):
        angle = math.radians(degrees)
        return (distance * math.cos(angle), side * distance * math.sin(angle), height, radius)

    body.limb(
        "torso",
        arc(40, 0.108, 0.070, 0.050),
        arc(70, 0.100, 0.078, 0.066),
        arc(110, 0.092, 0.082, 0.078),
        arc(160, 0.088, 0.080, 0.082),
        arc(205, 0.092, 0.075, 0.076),
        arc(240, 0.100, 0.064, 0.062),
    )
    body.limb("neck", arc(12, 0.112, 0.075, 0.042), arc(40, 0.108, 0.070, 0.050))
    body.limb(
        "thigh",
        arc(225, 0.085, 0.085, 0.062),
        arc(265, 0.075, 0.070, 0.052),
        arc(300, 0.080, 0.050, 0.034),
    )
    body.limb("hindfoot", arc(285, 0.085, 0.03, 0.02), (0.09, -0.03 * side, 0.022, 0.019))
    body.limb(
        "foreleg",
        arc(55, 0.070, 0.060, 0.040),
        (0.030, 0.000, 0.045, 0.028),
        (0.075, -0.035 * side, 0.024, 0.020),
    )
    body.limb(
        "tail",
        arc(255, 0.140, 0.036, 0.025),
        arc(285, 0.160, 0.024, 0.021),
        arc(315, 0.165, 0.021, 0.020),
        arc(345, 0.170, 0.020, 0.018),
        arc(365, 0.175, 0.019, 0.016),
    )
    return Vector((0.108, -0.012 * side, 0.082)), -1.15 * side, 0.30


def _stand(body, stride=0.02):
    """Standing still, or (with a stride) walking; the tail hangs or is carried upright."""
    head_low = stage.random.uniform(-0.05, 0.02)
    body.limb(
        "torso",
        (0.145, 0, 0.262, 0.050),
        (0.110, 0, 0.245, 0.060),
        (0.040, 0, 0.228, 0.069),
        (-0.060, 0, 0.232, 0.066),
        (-0.130, 0, 0.242, 0.064),
        (-0.175, 0, 0.238, 0.056),
    )
    body.limb("chest", (0.158, 0, 0.245, 0.042), (0.120, 0, 0.205, 0.046))
    body.limb(
        "neck", (0.212, 0, 0.310 + head_low, 0.046), (0.150, 0, 0.266, 0.053), (0.10, 0, 0.25, 0.05)
    )
    walking = stage.random.choice((1, -1))
    for side in (1, -1):
        step = stride * side * walking
        lifted = 0.025 if stride > 0.04 and step > 0 else 0.0
        body.limb(
            "foreleg",
            (0.110, 0.036 * side, 0.235, 0.041),
            (0.098 + step * 0.3, 0.044 * side, 0.165, 0.030),
            (0.108 + step, 0.038 * side, 0.070 + lifted, 0.0195),
            (0.112 + step * 1.1, 0.036 * side, 0.022 + lifted, 0.0190),
            (0.130 + step * 1.1, 0.036 * side, 0.017 + lifted, 0.0195),
        )
        step = -step
        body.limb(
            "thigh",
            (-0.150, 0.042 * side, 0.225, 0.058),
            (-0.112 + step * 0.6, 0.050 * side, 0.160, 0.041),
            (-0.190 + step, 0.044 * side, 0.090, 0.020),
        )
        body.limb(
            "hindfoot",
            (-0.190 + step, 0.044 * side, 0.092, 0.0195),
            (-0.172 + step * 1.1, 0.043 * side, 0.025, 0.0175),
            (-0.148 + step * 1.1, 0.043 * side, 0.017, 0.0185),
        )
    sway = stage.random.uniform(-0.05, 0.05)
    if stage.random.random() < 0.6:
        body.limb(
            "tail",
            (-0.215, 0, 0.255, 0.026),
            (-0.262, 0, 0.300, 0.020),
            (-0.290, sway * 0.5, 0.375, 0.0185),
            (-0.285, sway, 0.450, 0.018),
            (-0.255, sway * 1.4, 0.490, 0.016),
        )
    else:
        body.limb(
            "tail",
            (-0.215, 0, 0.250, 0.026),
            (-0.270, sway * 0.3, 0.215, 0.021),
            (-0.310, sway, 0.150, 0.019),
            (-0.350, sway * 1.6, 0.110, 0.018),
            (-0.400, sway * 2.0, 0.105, 0.016),
        )
    return Vector((0.240, 0, 0.345 + head_low)), 0.0, 0.05


def _walk(body):
    """Walking: like standing, with a long stride."""
    return _stand(body, stride=0.06)


POSES = {
    "sit": _sit,
    "loaf": _loaf,
    "side": _side,
    "curl": _curl,
    "stand": _stand,
    "walk": _walk,
}

# ---------------------------------------------------------------------------- coats
# Colours are linear light. "stripe" None means no tabby marks; "white" is how much of the cat is
# white: 0 none, 1 chin and paws, 2 bib and socks, 3 belly, legs and blaze, 4 mostly white.

COATS = {
    "brown tabby": dict(base=(0.20, 0.135, 0.08), stripe=(0.022, 0.016, 0.011)),
    "grey tabby": dict(base=(0.20, 0.185, 0.165), stripe=(0.028, 0.026, 0.024)),
    "silver tabby": dict(base=(0.40, 0.39, 0.37), stripe=(0.035, 0.034, 0.034)),
    "orange tabby": dict(base=(0.50, 0.235, 0.075), stripe=(0.30, 0.095, 0.022)),
    "cream": dict(base=(0.60, 0.44, 0.27), stripe=(0.48, 0.30, 0.15)),
    "blue": dict(base=(0.125, 0.132, 0.148), stripe=None),
    "black": dict(base=(0.015, 0.0135, 0.012), stripe=None),
    "tuxedo": dict(base=(0.014, 0.013, 0.0125), stripe=None, white=2),
    "cow": dict(base=(0.016, 0.015, 0.014), stripe=None, white=4),
    "tabby and white": dict(base=(0.19, 0.145, 0.10), stripe=(0.025, 0.02, 0.015), white=3),
    "orange and white": dict(base=(0.50, 0.24, 0.08), stripe=(0.32, 0.11, 0.03), white=3),
    "grey and white": dict(base=(0.13, 0.135, 0.145), stripe=None, white=2),
    "white": dict(base=(0.72, 0.68, 0.62), stripe=None),
    "calico": dict(base=(0.018, 0.016, 0.014), stripe=None, patches=(0.46, 0.20, 0.06), white=3),
    "tortoiseshell": dict(base=(0.022, 0.017, 0.013), stripe=None, patches=(0.30, 0.12, 0.035)),
    "siamese": dict(base=(0.62, 0.53, 0.41), stripe=None, points=(0.045, 0.028, 0.019)),
}

WHITE = (0.74, 0.71, 0.66)

EYE_COLORS = {
    "green": (0.20, 0.27, 0.06),
    "yellow": (0.42, 0.30, 0.04),
    "amber": (0.40, 0.17, 0.02),
    "hazel": (0.26, 0.24, 0.06),
    "blue": (0.10, 0.24, 0.45),
}


class _Head:
    """The frame of a head: x towards the nose, z up, origin in the middle of the skull."""

    SIZE = 1.14

    def __init__(self, centre, yaw, pitch, roll):
        self.centre = Vector(centre)
        turn = Matrix.Rotation(yaw, 3, "Z") @ Matrix.Rotation(pitch, 3, "Y")
        self.turn = turn @ Matrix.Rotation(roll, 3, "X")
        self.matrix = np.array(self.turn)

    def point(self, x, y, z):
        """A point given in the frame of the head, in the frame of the cat."""
        return self.centre + self.turn @ Vector((x, y, z)) * self.SIZE

    def local(self, points):
        """Points of the cat (n, 3), in the frame of the head."""
        return (np.asarray(points) - np.array(self.centre)) @ self.matrix / self.SIZE

    def knot(self, x, y, z, radius):
        return (*self.point(x, y, z), radius * self.SIZE)


def _add_skull(body, head):
    """Skull, cheeks, brow, nose bridge, muzzle and chin, all small round limbs."""
    knot = head.knot
    body.limb("head", knot(0.006, 0, 0.006, 0.0405), knot(-0.018, 0, 0.006, 0.042))
    body.limb("head", knot(0.026, 0, 0.012, 0.026), knot(0.010, 0, 0.022, 0.030))
    for side in (1, -1):
        body.limb(
            "head",
            knot(0.022, 0.022 * side, -0.013, 0.021),
            knot(-0.004, 0.027 * side, -0.012, 0.03),
        )
        body.limb(
            "head",
            knot(0.051, 0.0085 * side, -0.0175, 0.0118),
            knot(0.036, 0.0125 * side, -0.0185, 0.0165),
        )
    body.limb("head", knot(0.0545, 0, -0.006, 0.0085), knot(0.030, 0, 0.006, 0.0165))
    body.limb("head", knot(0.043, 0, -0.030, 0.0105), knot(0.018, 0, -0.028, 0.022))


def _coat_colors(coat, body, head, points, normals, seed):
    """The colour of the coat at skin points: tabby marks, patches, points and white."""
    _, _, limb, place, _ = body.measure(points)
    names = np.array(body.names)[limb]
    lengths = np.array([body.length(i) for i in range(len(body.names))])[limb]
    along = place / lengths
    face = head.local(points)
    ripple = noise(points, 14, seed)
    fine = noise(points, 55, seed + 1)
    on_head = names == "head"
    leg = np.isin(names, ("foreleg", "hindfoot"))
    trunk = np.isin(names, ("torso", "thigh", "neck", "chest"))

    base = np.array(coat["base"])
    shade = 1 + 0.16 * ripple + 0.10 * fine
    colors = base[None] * shade[:, None]
    # the underside is paler, the spine a little darker
    under = smoothstep(0.0, -0.8, normals[:, 2]) * ~on_head
    if coat.get("stripe"):
        colors = mixed(colors, base * 1.5 + 0.05, under * 0.7)
        wave = np.sin(place * (2 * math.pi / 0.042) + 2.2 * ripple + 0.6 * fine)
        flank = smoothstep(-0.15, 0.5, wave) * trunk * (1 - 0.85 * under)
        wave = np.sin(place * (2 * math.pi / 0.030) + 0.8 * ripple)
        rings = smoothstep(0.0, 0.6, wave) * (leg * 0.75 + (names == "tail"))
        tip = smoothstep(0.80, 0.90, along) * (names == "tail")
        # the M on the forehead, and a line from the eye to the cheek
        forehead = smoothstep(0.012, 0.022, face[:, 2]) * smoothstep(-0.035, -0.01, face[:, 0])
        bars = smoothstep(0.1, 0.7, np.cos(face[:, 1] * (2 * math.pi / 0.0125))) * forehead
        cheek_line = np.abs(face[:, 2] + 0.004 + 0.25 * (0.03 - face[:, 0]))
        cheek = smoothstep(0.0050, 0.0025, cheek_line) * smoothstep(0.026, 0.032, abs(face[:, 1]))
        marks = np.maximum.reduce([flank, rings, tip, bars * on_head, cheek * on_head])
        colors = mixed(colors, coat["stripe"], np.clip(marks, 0, 1) * 0.85)
    if coat.get("patches"):
        blotch = smoothstep(-0.05, 0.12, noise(points, 11, seed + 2) + 0.35 * ripple)
        colors = mixed(colors, coat["patches"], blotch)
    if coat.get("points"):
        mask = smoothstep(0.018, 0.045, face[:, 0] + 0.2 * face[:, 2]) * on_head
        socks = leg * smoothstep(0.35, 0.85, along) + (names == "hindfoot") * 0.4
        dark = np.clip(mask + socks + (names == "tail") * 0.95, 0, 1)
        back = smoothstep(0.2, 0.9, normals[:, 2]) * trunk
        colors = mixed(colors, base * 0.62, back * 0.5)
        colors = mixed(colors, coat["points"], dark * 0.93)
    # around the eyes and on the muzzle most cats are paler
    if not coat.get("points") and max(base) > 0.03:
        pale = base * 0.6 + 0.28
        muzzle = smoothstep(-0.004, -0.014, face[:, 2]) * smoothstep(0.022, 0.036, face[:, 0])
        colors = mixed(colors, pale, muzzle * on_head * (0.75 if coat.get("stripe") else 0.25))
    white = coat.get("white", 0)
    if white:
        wobble = 0.010 * ripple
        amount = np.zeros(len(points))
        muzzle = smoothstep(-0.004, -0.012, face[:, 2] + wobble * 0.4)
        muzzle *= smoothstep(0.016, 0.028, face[:, 0])
        amount = np.maximum(amount, muzzle * on_head)
        paw = smoothstep(
            (0.9, 0.74, 0.5, 0.25, 0.1)[white], (0.95, 0.8, 0.56, 0.3, 0.2)[white], along
        )
        amount = np.maximum(amount, paw * leg)
        amount = np.maximum(amount, (names == "hindfoot") * (white >= 2))
        if white >= 2:
            bib = smoothstep(-0.02, -0.055, face[:, 2] + wobble) * smoothstep(
                0.09, 0.02, -face[:, 0]
            )
            front = (names == "chest") | (names == "neck")
            amount = np.maximum(
                amount, front * bib * smoothstep(-0.25, 0.05, normals @ head.matrix[:, 0])
            )
        if white >= 3:
            blaze = smoothstep(
                0.009, 0.005, np.abs(face[:, 1] + wobble * 0.5) - 0.15 * (0.03 - face[:, 2])
            )
            amount = np.maximum(amount, blaze * on_head * smoothstep(-0.01, 0.01, face[:, 0]))
            low = smoothstep(0.05, -0.35, normals[:, 2] + 1.2 * ripple)
            amount = np.maximum(amount, low * trunk)
            amount = np.maximum(amount, names == "chest")
        if white >= 4:
            spots = smoothstep(0.14, 0.04, noise(points, 9, seed + 5) + 0.25 * ripple)
            amount = np.maximum(amount, spots * (trunk | leg))
        colors = mixed(colors, WHITE, np.clip(amount, 0, 1))
    return colors, names, along, face


def _comb_directions(body, head, points, names):
    """Fur runs along the limbs; on the head it runs away from the nose."""
    flow = body.measure(points)[4]
    away = np.asarray(points) - np.array(head.point(0.068, 0, -0.004))
    away /= np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
    return np.where((names == "head")[:, None], away, flow)


def _fur_lengths(names, along, face, eyes, long_hair):
    """Metres of fur at skin points: long on belly and tail, short on face and paws."""
    lengths = np.full(len(names), 0.022 * long_hair)
    lengths[names == "chest"] = 0.026 * long_hair
    lengths[names == "neck"] = 0.022 * long_hair
    lengths[names == "tail"] = 0.017 * long_hair**1.6
    leg = names == "foreleg"
    lengths[leg] = (0.017 - 0.011 * smoothstep(0.1, 0.6, along[leg])) * long_hair**0.5
    lengths[names == "hindfoot"] = 0.006 * long_hair**0.5
    on_head = names == "head"
    back = smoothstep(0.045, -0.02, face[:, 0])
    cheek = smoothstep(0.024, 0.042, np.abs(face[:, 1])) * smoothstep(0.012, -0.012, face[:, 2])
    head_length = (0.0035 + 0.0075 * back + 0.007 * cheek) * long_hair**0.7
    lengths[on_head] = head_length[on_head]
    for eye in eyes:
        lengths *= smoothstep(0.0095, 0.0175, np.linalg.norm(face - eye, axis=1)) * 0.97 + 0.03
    lengths *= smoothstep(0.007, 0.013, np.linalg.norm(face - (0.061, 0, -0.007), axis=1))
    return lengths


def _ear(head, side, alertness, outer_color, skin, strands):
    """One ear: a hollow triangle, dark and furry outside, pink and tufted inside."""
    rows, columns = 12, 13
    u = np.linspace(0, 1, rows)[:, None]
    v = np.linspace(-1, 1, columns)[None]
    axis = np.array((-0.10, side * (0.36 + 0.25 * (1 - alertness)), 0.92))
    axis /= np.linalg.norm(axis)
    front = np.array((0.86, side * (0.48 - 0.1 * alertness), 0.0))
    front -= axis * (front @ axis)
    front /= np.linalg.norm(front)
    across = np.cross(axis, front)
    base = np.array((-0.010, side * 0.0285, 0.026))
    width = 0.0255 * (1 - u**1.25) ** 0.80 * (1 - 0.10 * u) + 0.001
    depth = -0.016 * (1 - v**2) * (1 - u) ** 0.7
    place = base + axis * (0.064 * u)[..., None] + across * (width * v)[..., None]
    place = place + front * depth[..., None]
    to_cat = np.array(head.turn) * head.SIZE
    outer_points = place @ to_cat.T + np.array(head.centre)
    inner_points = (place + front * 0.0016) @ to_cat.T + np.array(head.centre)
    edge = np.broadcast_to(smoothstep(0.55, 0.95, np.abs(v)) + 0 * u, (rows, columns))
    dark = np.array(outer_color)
    rosy = np.array((0.42, 0.24, 0.20)) * 0.75 + dark * 0.25
    outer_colors = np.broadcast_to(dark, (rows, columns, 3))
    inner_colors = rosy * (1 - edge[..., None]) + dark * edge[..., None]
    outer = organic.grid_mesh(outer_points, skin, "ear", outer_colors)
    inner = organic.grid_mesh(inner_points, skin, "ear", inner_colors)
    # vertex normals of an open sheet may point either way: turn them outwards
    for sheet, wanted in ((outer, -(to_cat @ front)), (inner, to_cat @ front)):
        if (organic.vertex_normals(sheet.data).mean(0) @ wanted) < 0:
            sheet.data.flip_normals()
    count = rows * columns
    upwards = np.broadcast_to(to_cat @ axis, (count, 3))
    fleece = Fleece(upwards, np.full(count, 0.006), outer_colors.reshape(-1, 3))
    organic.comb(outer, fleece, 1500, strands, radius=0.0004, lift=0.15)
    tufts = Fleece(
        np.broadcast_to(to_cat @ (axis * 0.8 - across * side * 0.5 + front * 0.4), (count, 3)),
        (0.017 * edge * (1 - u)).ravel() + 0.0015,
        np.broadcast_to(dark * 0.3 + 0.42, (count, 3)),
    )
    organic.comb(inner, tufts, 380, strands, radius=0.0004, lift=0.4)


def _eye(body, head, side, color, pupil_width, asleep, dark):
    """One eye: glossy ball with iris and upright pupil in a dark almond rim; or a closed lid."""
    look = head.turn @ Vector((1, side * 0.24, 0.04)).normalized()
    socket = head.point(0.0, side * 0.0205, 0.0075)
    skin_point = Vector(body.surface(socket, look))
    across = head.turn @ Vector((-side * 0.24, 1, 0)).normalized()
    upwards = look.cross(across)
    if asleep:
        lid = []
        for step in range(7):
            t = step / 3 - 1
            point = skin_point + across * (t * 0.0105) - upwards * (0.0035 * (1 - t * t))
            lid.append(Vector(body.onto_skin([point], 0.0026)[0]))
        tube(lid, 0.0013, dark)
        return
    radius = 0.0128 * head.SIZE
    centre = skin_point - look * (radius * 0.70)
    rings, spokes = 20, 32
    points, colors = [], []
    for ring in range(rings):
        polar = ring / (rings - 1) * 1.45
        for spoke in range(spokes + 1):
            turn = 2 * math.pi * spoke / spokes
            sideways, height = math.sin(polar) * math.cos(turn), math.sin(polar) * math.sin(turn)
            points.append(
                centre + (look * math.cos(polar) + across * sideways + upwards * height) * radius
            )
            in_pupil = (sideways / pupil_width) ** 2 + (height / 0.60) ** 2 < 1
            edge = min(max((math.hypot(sideways, height) - 0.62) / 0.12, 0), 1)
            glow = 0.75 + 0.55 * (0.5 - 0.5 * height)
            iris = [channel * glow * (1 - edge) + 0.006 * edge for channel in color]
            colors.append((0.003, 0.003, 0.004) if in_pupil else iris)
    shape = (rings, spokes + 1, 3)
    organic.grid_mesh(
        np.array(points).reshape(shape),
        organic.painted(roughness=0.08, coat=1.0, specular=0.6),
        "eye",
        np.array(colors).reshape(shape),
    )
    # almond rim of dark skin, its outer corner a little higher
    rim = []
    for step in range(16):
        turn = 2 * math.pi * step / 16
        sideways, height = 0.0128 * math.cos(turn), 0.0094 * math.sin(turn)
        height += 0.22 * sideways * side - 0.0012 * math.sin(turn) ** 2
        out = math.sqrt(max(radius**2 - sideways**2 - height**2, 0))
        rim.append(centre + look * (out + 0.0002) + across * sideways + upwards * height)
    tube(rim, 0.0017, dark, cyclic=True)


def _face_details(head, nose, dark, whisker):
    """Nose leather, mouth line and whiskers."""
    nose_tip = head.point(0.0630, 0, -0.0065)
    ball(0.0070, nose_tip, nose, (0.75, 1.15, 0.72), 16, head.turn.to_euler())
    mouth_top = head.point(0.0640, 0, -0.0105)
    for side in (1, -1):
        tube(
            [
                mouth_top,
                head.point(0.0635, side * 0.001, -0.0190),
                head.point(0.0590, side * 0.0095, -0.0255),
                head.point(0.0480, side * 0.0165, -0.0270),
            ],
            0.0007,
            dark,
        )
        for row in range(5):
            height = -0.013 - 0.003 * (row % 2)
            rise = 0.011 * (row - 1.6)
            reach = stage.random.uniform(0.85, 1.1)
            hair = tube(
                [
                    head.point(0.054, side * 0.016, height),
                    head.point(0.056, side * (0.016 + 0.035 * reach), height + rise * 0.6),
                    head.point(0.040, side * (0.016 + 0.068 * reach), height + rise - 0.008),
                ],
                0.0002,
                whisker,
                resolution=4,
            )
            hair["hidden_in_mask"] = 1


def cat(location, rotation=0.0, pose=None, coat=None, scale=1.0):
    """A cat that faces +x. Poses: sit, loaf, side, curl, stand, walk; coats: see COATS."""
    pose = pose or stage.random.choice(tuple(POSES))
    coat = COATS[coat or stage.random.choice(tuple(COATS))]
    long_hair = stage.random.choice((1.0, 1.0, 1.15, 1.6))
    seed = stage.random.randrange(1000)
    with stage.labelled("cat"), stage.group(location, rotation, scale):
        body = Body(blend=0.0055)
        centre, yaw, pitch = POSES[pose](body)
        asleep = pose == "curl" or (pose == "loaf" and stage.random.random() < 0.35)
        freedom = 0.15 if pose == "curl" else 0.75
        head = _Head(
            centre,
            yaw + stage.random.uniform(-freedom, freedom),
            pitch + stage.random.uniform(-0.12, 0.18),
            stage.random.uniform(-0.15, 0.15),
        )
        _add_skull(body, head)

        skin = organic.painted(roughness=0.8, specular=0.15)
        strands = organic.painted(roughness=0.55, sheen=0.05, specular=0.22, strands=True)
        hide = body.skin(0.0065, skin, "cat")
        points, normals = organic.vertices(hide.data), organic.vertex_normals(hide.data)
        colors, names, along, face = _coat_colors(coat, body, head, points, normals, seed)

        eye_places = []
        for side in (1, -1):
            spot = body.surface(
                head.point(0, side * 0.0205, 0.0075), head.turn @ Vector((1, side * 0.24, 0.04))
            )
            eye_places.append(head.local(spot[None])[0])
        dark_ring = np.zeros(len(points))
        for spot in eye_places:
            dark_ring += smoothstep(0.0150, 0.0115, np.linalg.norm(face - spot, axis=1))
        colors = mixed(colors, (0.012, 0.010, 0.009), np.clip(dark_ring, 0, 1) * (not asleep) * 0.9)
        organic.tint(hide, colors)
        lengths = _fur_lengths(names, along, face, [] if asleep else eye_places, long_hair)
        fleece = Fleece(_comb_directions(body, head, points, names), lengths, colors)
        organic.comb(hide, fleece, 36000, strands, radius=0.00048, lift=0.30)

        crown = colors[np.argmin(np.linalg.norm(face - (-0.02, 0.02, 0.045), axis=1))]
        if coat.get("points"):
            crown = np.array(coat["points"])
        alertness = stage.random.uniform(0.5, 1.0)
        for side in (1, -1):
            _ear(head, side, alertness, np.clip(crown * 0.85, 0, 1), skin, strands)

        dark = paint((0.010, 0.008, 0.007, 1), 0.35)
        light_coat = max(coat["base"]) > 0.12 or coat.get("white")
        nose_color = (0.33, 0.13, 0.11, 1) if light_coat else (0.025, 0.02, 0.02, 1)
        if coat.get("points"):
            nose_color = (0.03, 0.022, 0.02, 1)
            eye_color = EYE_COLORS["blue"]
        else:
            eye_color = EYE_COLORS[stage.random.choice(("green", "yellow", "amber", "hazel"))]
        pupil_width = stage.random.uniform(0.16, 0.5)
        for side in (1, -1):
            _eye(body, head, side, eye_color, pupil_width, asleep, dark)
        _face_details(head, paint(nose_color, 0.4), dark, paint((0.85, 0.84, 0.80, 1), 0.4))
