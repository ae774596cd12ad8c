"""Birds: songbirds, pigeons, gulls, crows, ducks and budgerigars with folded wings.

One builder makes them all from a `Shape` (proportions, in metres) and a plumage: a function that
paints the skin, and the colours of the folded wing and the tail.
"""

import math
from dataclasses import dataclass

import numpy as np

from . import organic, stage
from .geometry import ball, tube
from .materials import paint
from .organic import Body, Fleece, mixed, noise, smoothstep


@dataclass(frozen=True)
class Shape:
    """Proportions of a bird. Lengths in metres; the defaults are those of a house sparrow."""

    half: float = 0.040  # half the length of the body, without neck and tail
    girth: float = 0.030  # greatest radius of the body
    tilt: float = 28.0  # degrees the body rises towards the breast
    neck: tuple = ((0.009, 0.012, 0.0230),)  # steps (forward, up, radius) from breast to head
    head: tuple = (0.007, 0.012, 0.0185)  # last step, and the radius of the head
    tail: float = 0.055
    tail_width: float = 0.011
    leg: float = 0.022
    beak: tuple = (0.015, 0.0062, 0.0056, 0.001)  # length, half depth, half width, drop of the tip
    wing: float = 1.0  # how far the wing tip reaches over the tail (1: a third of it)
    eye: float = 0.0038


SPARROW = Shape()
ROUND = Shape(
    half=0.036,
    girth=0.032,
    tilt=32,
    tail=0.050,
    tail_width=0.008,
    leg=0.027,
    beak=(0.014, 0.0034, 0.0034, 0.0008),
    eye=0.0046,
)
TIT = Shape(
    half=0.034,
    girth=0.026,
    tilt=24,
    neck=((0.008, 0.010, 0.021),),
    head=(0.007, 0.011, 0.0175),
    tail=0.048,
    tail_width=0.009,
    leg=0.018,
    beak=(0.011, 0.0036, 0.0032, 0.0004),
    eye=0.0036,
)
THRUSH = Shape(
    half=0.062,
    girth=0.042,
    tilt=26,
    neck=((0.016, 0.018, 0.030),),
    head=(0.012, 0.019, 0.0240),
    tail=0.105,
    tail_width=0.017,
    leg=0.034,
    beak=(0.030, 0.0056, 0.0048, 0.002),
    eye=0.0050,
)
WAGTAIL = Shape(
    half=0.040,
    girth=0.025,
    tilt=12,
    neck=((0.014, 0.014, 0.019),),
    head=(0.008, 0.012, 0.0160),
    tail=0.090,
    tail_width=0.008,
    leg=0.026,
    beak=(0.013, 0.0024, 0.0024, 0.0005),
    wing=0.5,
)
PIGEON = Shape(
    half=0.090,
    girth=0.064,
    tilt=20,
    neck=((0.030, 0.030, 0.047), (0.018, 0.034, 0.032)),
    head=(0.012, 0.024, 0.0265),
    tail=0.110,
    tail_width=0.030,
    leg=0.034,
    beak=(0.027, 0.0056, 0.0048, 0.004),
    eye=0.0050,
)
GULL = Shape(
    half=0.115,
    girth=0.066,
    tilt=8,
    neck=((0.030, 0.026, 0.052), (0.020, 0.036, 0.041)),
    head=(0.018, 0.028, 0.0360),
    tail=0.095,
    tail_width=0.030,
    leg=0.070,
    beak=(0.042, 0.0090, 0.0062, 0.007),
    wing=3.0,
    eye=0.0058,
)
CROW = Shape(
    half=0.115,
    girth=0.072,
    tilt=16,
    neck=((0.036, 0.034, 0.056), (0.022, 0.030, 0.045)),
    head=(0.016, 0.020, 0.0390),
    tail=0.150,
    tail_width=0.032,
    leg=0.056,
    beak=(0.050, 0.0120, 0.0085, 0.008),
    wing=2.0,
    eye=0.0062,
)
DUCK = Shape(
    half=0.165,
    girth=0.092,
    tilt=4,
    neck=((0.010, 0.050, 0.058), (0.006, 0.060, 0.037)),
    head=(0.018, 0.050, 0.0420),
    tail=0.070,
    tail_width=0.036,
    leg=0.030,
    beak=(0.060, 0.0110, 0.0150, 0.010),
    eye=0.0062,
)
BUDGIE = Shape(
    half=0.042,
    girth=0.027,
    tilt=52,
    neck=((0.008, 0.020, 0.0235),),
    head=(0.006, 0.016, 0.0195),
    tail=0.105,
    tail_width=0.009,
    leg=0.016,
    beak=(0.0085, 0.0062, 0.0050, 0.007),
    eye=0.0034,
)


@dataclass
class Field:
    """Where skin points lie, in the bird's own measures, for the plumage functions."""

    along: np.ndarray  # -1 rump, +1 breast
    up: np.ndarray  # -1 belly, +1 back
    on_head: np.ndarray  # 0..1
    forward: np.ndarray  # in head radii from the middle of the head, towards the beak
    high: np.ndarray  # in head radii above the middle of the head
    noise: np.ndarray  # smooth, a few bumps over the body
    streak: np.ndarray  # fine, drawn out along the body


def _belly(field, height=0.0, soft=0.35):
    """1 on the underside of the body, 0 above."""
    return smoothstep(height + soft, height - soft, field.up + 0.12 * field.noise)


def _cap(field, height=0.25):
    """1 on the crown."""
    return field.on_head * smoothstep(height - 0.1, height + 0.1, field.high - 0.15 * field.forward)


def _cheek(field):
    """1 on the cheek, below and behind the eye."""
    spot = np.hypot((field.forward - 0.0) / 0.75, (field.high + 0.30) / 0.52)
    return smoothstep(1.05, 0.85, spot) * smoothstep(0.2, 0.6, field.on_head)


def _bib(field, reach):
    """1 on chin and throat, down to `reach` head radii below the middle of the head."""
    low = smoothstep(-0.42, -0.55, field.high) * smoothstep(-reach - 0.3, -reach, field.high)
    return low * smoothstep(-0.1, 0.3, field.forward)


def _streaked(color, field, strength=0.3):
    return np.array(color) * (1 + strength * field.streak + 0.1 * field.noise)[:, None]


def _sparrow(field):
    colors = _streaked((0.22, 0.135, 0.075), field, 0.5)
    colors = mixed(colors, (0.40, 0.36, 0.31), _belly(field, 0.0))
    colors = mixed(colors, (0.42, 0.40, 0.37), _cheek(field))
    colors = mixed(colors, (0.16, 0.065, 0.03), _cap(field, -0.05) * (1 - _cheek(field)))
    colors = mixed(colors, (0.20, 0.19, 0.18), _cap(field, 0.5))
    return mixed(colors, (0.015, 0.012, 0.011), _bib(field, 1.4))


def _hen_sparrow(field):
    colors = _streaked((0.24, 0.16, 0.095), field, 0.55)
    colors = mixed(colors, (0.44, 0.37, 0.29), _belly(field, 0.05))
    brow = np.exp(-(((field.high - 0.42) / 0.14) ** 2)) * smoothstep(0.3, -0.1, field.forward)
    return mixed(colors, (0.48, 0.38, 0.26), brow * field.on_head)


def _robin(field):
    colors = _streaked((0.155, 0.115, 0.065), field, 0.15)
    colors = mixed(colors, (0.60, 0.56, 0.50), _belly(field, -0.15))
    breast = smoothstep(0.12, 0.40, field.along + 0.12 * field.noise) * _belly(field, 0.25, 0.2)
    face = field.on_head * smoothstep(-0.15, 0.1, field.forward - 0.35 * field.high)
    face = np.maximum(
        face, field.on_head * smoothstep(-0.2, -0.5, field.high + 0.6 * -field.forward)
    )
    return mixed(colors, (0.50, 0.155, 0.025), np.clip(breast + face, 0, 1))


def _great_tit(field):
    colors = _streaked((0.15, 0.19, 0.07), field, 0.1)
    colors = mixed(colors, (0.56, 0.47, 0.09), _belly(field, 0.1, 0.2))
    colors = mixed(colors, (0.012, 0.013, 0.018), smoothstep(0.25, 0.6, field.on_head))
    return mixed(colors, (0.74, 0.73, 0.68), _cheek(field))


def _blue_tit(field):
    colors = _streaked((0.20, 0.24, 0.10), field, 0.1)
    colors = mixed(colors, (0.60, 0.52, 0.12), _belly(field, 0.15, 0.2))
    colors = mixed(colors, (0.74, 0.75, 0.74), smoothstep(0.3, 0.6, field.on_head))
    colors = mixed(colors, (0.06, 0.16, 0.42), _cap(field, 0.45))
    line = np.exp(-(((field.high - 0.12) / 0.09) ** 2)) * field.on_head
    colors = mixed(colors, (0.012, 0.02, 0.05), line)
    collar = np.exp(-(((field.high + 0.85) / 0.14) ** 2)) * field.on_head
    return mixed(colors, (0.015, 0.025, 0.06), np.clip(collar + _bib(field, 0.7), 0, 1))


def _blackbird(field):
    return _streaked((0.014, 0.0135, 0.014), field, 0.2)


def _hen_blackbird(field):
    colors = _streaked((0.085, 0.06, 0.04), field, 0.2)
    breast = _belly(field, 0.05) * (0.5 + 0.5 * field.streak)
    return mixed(colors, (0.20, 0.14, 0.09), np.clip(breast, 0, 1) * 0.7)


def _song_thrush(field):
    colors = _streaked((0.19, 0.13, 0.07), field, 0.12)
    colors = mixed(colors, (0.62, 0.54, 0.40), _belly(field, 0.1))
    spots = smoothstep(0.35, 0.55, field.streak) * _belly(field, 0.05)
    return mixed(colors, (0.06, 0.04, 0.025), spots)


def _starling(field):
    sheen = 0.5 + 0.5 * field.noise
    colors = mixed((0.02, 0.035, 0.030), (0.040, 0.022, 0.048), sheen)
    return mixed(colors, (0.42, 0.36, 0.26), smoothstep(0.42, 0.6, field.streak) * 0.9)


def _chaffinch(field):
    colors = _streaked((0.17, 0.105, 0.07), field, 0.15)
    colors = mixed(colors, (0.42, 0.20, 0.14), _belly(field, 0.1))
    colors = mixed(colors, (0.42, 0.20, 0.14), _cheek(field))
    return mixed(colors, (0.17, 0.21, 0.26), _cap(field, 0.15))


def _canary(field):
    return _streaked((0.70, 0.52, 0.07), field, 0.06)


def _wagtail(field):
    colors = _streaked((0.25, 0.27, 0.28), field, 0.06)
    colors = mixed(colors, (0.74, 0.74, 0.72), _belly(field, -0.05, 0.15))
    colors = mixed(colors, (0.76, 0.76, 0.74), field.on_head * smoothstep(-0.3, 0.1, field.forward))
    colors = mixed(colors, (0.014, 0.014, 0.015), _cap(field, 0.5))
    return mixed(colors, (0.014, 0.014, 0.015), _bib(field, 1.6))


def _pigeon(field):
    grey = stage.random.uniform(0.8, 1.25)
    colors = _streaked((0.26 * grey, 0.28 * grey, 0.31 * grey), field, 0.06)
    colors = mixed(colors, (0.11, 0.125, 0.15), smoothstep(0.3, 0.8, field.on_head))
    neck = np.exp(-(((field.high + 1.9) / 0.9) ** 2)) * smoothstep(0.15, 0.6, field.along)
    sheen = mixed((0.04, 0.15, 0.09), (0.16, 0.06, 0.14), 0.5 + 0.8 * field.noise)
    return mixed(colors, 1.0, 0 * neck) * (1 - neck[:, None]) + sheen * neck[:, None]


def _wood_pigeon(field):
    colors = _streaked((0.28, 0.29, 0.32), field, 0.05)
    colors = mixed(
        colors, (0.36, 0.23, 0.22), _belly(field, 0.3) * smoothstep(0.0, 0.5, field.along)
    )
    patch = np.exp(-(((field.high + 1.9) / 0.45) ** 2)) * smoothstep(0.2, -0.2, field.forward)
    return mixed(colors, (0.72, 0.72, 0.70), patch * smoothstep(0.5, 0.9, field.along))


def _white_dove(field):
    return _streaked((0.72, 0.70, 0.66), field, 0.04)


def _gull(field):
    return _streaked((0.76, 0.76, 0.75), field, 0.03)


def _crow(field):
    return _streaked((0.013, 0.013, 0.015), field, 0.2)


def _jackdaw(field):
    colors = _streaked((0.018, 0.018, 0.021), field, 0.2)
    hood = field.on_head * smoothstep(0.2, -0.4, field.forward)
    return mixed(colors, (0.16, 0.165, 0.18), hood)


def _magpie(field):
    colors = _streaked((0.012, 0.013, 0.018), field, 0.2)
    white = _belly(field, 0.1, 0.12) * smoothstep(0.75, 0.45, field.along)
    return mixed(colors, (0.76, 0.76, 0.74), white * smoothstep(-1.0, -0.7, field.along))


def _drake(field):
    colors = _streaked((0.40, 0.38, 0.35), field, 0.14)
    colors = mixed(colors, (0.15, 0.11, 0.08), smoothstep(0.45, 0.9, field.up))
    colors = mixed(colors, (0.095, 0.045, 0.028), smoothstep(0.42, 0.60, field.along))
    colors = mixed(colors, (0.015, 0.015, 0.016), smoothstep(-0.78, -0.9, field.along))
    ring = np.exp(-(((field.high + 2.05) / 0.2) ** 2))
    colors = mixed(colors, (0.012, 0.10, 0.05), smoothstep(-2.1, -1.9, field.high))
    return mixed(colors, (0.72, 0.72, 0.70), ring)


def _hen_duck(field):
    colors = _streaked((0.26, 0.18, 0.105), field, 0.75)
    colors = mixed(colors, (0.34, 0.26, 0.17), smoothstep(0.2, 0.7, field.on_head) * 0.8)
    return mixed(colors, (0.09, 0.06, 0.04), _cap(field, 0.5))


def _white_duck(field):
    return _streaked((0.74, 0.72, 0.67), field, 0.03)


def _budgie(body, face):
    def plumage(field):
        colors = _streaked(body, field, 0.06)
        back = smoothstep(0.0, 0.4, field.up) * smoothstep(0.75, 0.45, field.on_head)
        bars = smoothstep(-0.2, 0.4, np.sin(field.along * 26 + 2 * field.noise))
        colors = mixed(colors, face, back)
        colors = mixed(colors, (0.02, 0.02, 0.018), back * bars * 0.85)
        colors = mixed(colors, face, smoothstep(0.3, 0.6, field.on_head))
        nape = field.on_head * smoothstep(0.05, -0.3, field.forward - 0.2)
        waves = smoothstep(0.1, 0.5, np.sin(field.high * 13))
        return mixed(colors, (0.03, 0.03, 0.025), nape * waves * 0.8)

    return plumage


@dataclass(frozen=True)
class Kind:
    """A sort of bird: shape, plumage, and the colours of wing, tail, beak and legs."""

    shape: Shape
    plumage: object
    covert: tuple  # small feathers at the front of the wing
    flight: tuple  # long feathers
    edge: tuple  # pale fringes of the feathers
    bar: tuple | None = None  # wing bar
    tip: tuple | None = None  # ends of the long feathers
    tail: tuple | None = None
    beak: tuple = (0.03, 0.027, 0.025)
    legs: tuple = (0.16, 0.085, 0.055)
    eye_ring: tuple | None = None
    eye: tuple = (0.004, 0.003, 0.003)
    hooked: bool = False
    webbed: bool = False


_YELLOW_BEAK = (0.55, 0.26, 0.03)
_BLACK = (0.014, 0.013, 0.014)
_PALE = (0.50, 0.42, 0.30)

KINDS = {
    "sparrow": Kind(
        SPARROW,
        _sparrow,
        (0.20, 0.085, 0.035),
        (0.055, 0.036, 0.024),
        (0.30, 0.17, 0.08),
        bar=(0.62, 0.58, 0.5),
        tail=(0.07, 0.05, 0.035),
    ),
    "hen sparrow": Kind(
        SPARROW,
        _hen_sparrow,
        (0.20, 0.13, 0.075),
        (0.06, 0.045, 0.03),
        _PALE,
        bar=_PALE,
        beak=(0.30, 0.22, 0.13),
    ),
    "robin": Kind(ROUND, _robin, (0.14, 0.105, 0.06), (0.10, 0.07, 0.042), (0.20, 0.15, 0.085)),
    "great tit": Kind(
        TIT,
        _great_tit,
        (0.13, 0.18, 0.20),
        (0.06, 0.08, 0.10),
        (0.30, 0.36, 0.38),
        bar=(0.72, 0.72, 0.68),
        tail=(0.08, 0.11, 0.14),
        legs=(0.09, 0.10, 0.12),
    ),
    "blue tit": Kind(
        TIT,
        _blue_tit,
        (0.07, 0.15, 0.34),
        (0.06, 0.10, 0.18),
        (0.16, 0.26, 0.42),
        bar=(0.72, 0.73, 0.72),
        tail=(0.07, 0.14, 0.28),
        legs=(0.09, 0.10, 0.13),
    ),
    "blackbird": Kind(
        THRUSH,
        _blackbird,
        _BLACK,
        (0.018, 0.017, 0.016),
        (0.03, 0.028, 0.026),
        beak=_YELLOW_BEAK,
        legs=(0.05, 0.035, 0.025),
        eye_ring=(0.5, 0.26, 0.04),
    ),
    "hen blackbird": Kind(
        THRUSH,
        _hen_blackbird,
        (0.075, 0.052, 0.035),
        (0.055, 0.038, 0.026),
        (0.12, 0.085, 0.055),
        beak=(0.12, 0.085, 0.05),
    ),
    "song thrush": Kind(
        THRUSH,
        _song_thrush,
        (0.18, 0.12, 0.065),
        (0.12, 0.08, 0.042),
        (0.30, 0.21, 0.12),
        beak=(0.10, 0.075, 0.05),
        legs=(0.34, 0.22, 0.14),
    ),
    "starling": Kind(
        THRUSH,
        _starling,
        (0.022, 0.03, 0.032),
        (0.03, 0.024, 0.02),
        (0.30, 0.21, 0.12),
        beak=(0.35, 0.25, 0.08),
        legs=(0.26, 0.12, 0.08),
    ),
    "chaffinch": Kind(
        SPARROW,
        _chaffinch,
        (0.06, 0.055, 0.05),
        (0.03, 0.027, 0.024),
        (0.34, 0.34, 0.2),
        bar=(0.74, 0.73, 0.68),
        beak=(0.17, 0.18, 0.20),
    ),
    "canary": Kind(
        SPARROW,
        _canary,
        (0.66, 0.49, 0.08),
        (0.55, 0.44, 0.14),
        (0.74, 0.62, 0.25),
        beak=(0.55, 0.33, 0.22),
        legs=(0.42, 0.25, 0.2),
    ),
    "wagtail": Kind(
        WAGTAIL,
        _wagtail,
        (0.16, 0.17, 0.18),
        (0.03, 0.03, 0.031),
        (0.6, 0.6, 0.58),
        bar=(0.7, 0.7, 0.68),
        tail=_BLACK,
        legs=_BLACK,
    ),
    "pigeon": Kind(
        PIGEON,
        _pigeon,
        (0.33, 0.35, 0.38),
        (0.22, 0.235, 0.26),
        (0.38, 0.40, 0.43),
        bar=(0.03, 0.03, 0.035),
        tip=(0.05, 0.05, 0.06),
        tail=(0.17, 0.18, 0.21),
        beak=(0.08, 0.075, 0.075),
        legs=(0.42, 0.12, 0.11),
        eye=(0.35, 0.10, 0.02),
    ),
    "wood pigeon": Kind(
        PIGEON,
        _wood_pigeon,
        (0.24, 0.23, 0.235),
        (0.13, 0.13, 0.14),
        (0.32, 0.31, 0.31),
        tip=(0.04, 0.04, 0.045),
        tail=(0.15, 0.155, 0.17),
        beak=(0.5, 0.30, 0.12),
        legs=(0.40, 0.13, 0.13),
        eye=(0.55, 0.5, 0.3),
    ),
    "dove": Kind(
        PIGEON,
        _white_dove,
        (0.70, 0.68, 0.64),
        (0.62, 0.60, 0.56),
        (0.74, 0.73, 0.70),
        beak=(0.45, 0.30, 0.24),
        legs=(0.45, 0.14, 0.12),
    ),
    "gull": Kind(
        GULL,
        _gull,
        (0.33, 0.35, 0.37),
        (0.36, 0.38, 0.40),
        (0.44, 0.46, 0.47),
        tip=_BLACK,
        tail=(0.74, 0.74, 0.73),
        beak=(0.62, 0.42, 0.05),
        legs=(0.52, 0.33, 0.26),
        eye=(0.55, 0.5, 0.25),
        webbed=True,
    ),
    "crow": Kind(
        CROW,
        _crow,
        (0.014, 0.014, 0.017),
        (0.012, 0.012, 0.015),
        (0.03, 0.031, 0.038),
        beak=(0.015, 0.015, 0.016),
        legs=_BLACK,
    ),
    "jackdaw": Kind(
        PIGEON,
        _jackdaw,
        (0.02, 0.02, 0.024),
        (0.015, 0.015, 0.018),
        (0.036, 0.036, 0.042),
        beak=_BLACK,
        legs=_BLACK,
        eye=(0.6, 0.62, 0.62),
    ),
    "magpie": Kind(
        THRUSH,
        _magpie,
        (0.70, 0.70, 0.68),
        (0.012, 0.03, 0.06),
        (0.02, 0.06, 0.10),
        tail=(0.012, 0.05, 0.05),
        beak=_BLACK,
        legs=_BLACK,
    ),
    "drake": Kind(
        DUCK,
        _drake,
        (0.27, 0.24, 0.21),
        (0.17, 0.14, 0.12),
        (0.36, 0.33, 0.29),
        bar=(0.05, 0.08, 0.32),
        tail=(0.55, 0.53, 0.5),
        beak=(0.48, 0.40, 0.07),
        legs=(0.60, 0.22, 0.03),
        webbed=True,
    ),
    "duck": Kind(
        DUCK,
        _hen_duck,
        (0.20, 0.14, 0.085),
        (0.13, 0.09, 0.06),
        (0.42, 0.32, 0.20),
        bar=(0.05, 0.08, 0.30),
        tail=(0.38, 0.30, 0.2),
        beak=(0.34, 0.17, 0.06),
        legs=(0.55, 0.21, 0.04),
        webbed=True,
    ),
    "white duck": Kind(
        DUCK,
        _white_duck,
        (0.72, 0.70, 0.65),
        (0.68, 0.66, 0.61),
        (0.75, 0.74, 0.70),
        beak=(0.62, 0.32, 0.05),
        legs=(0.60, 0.25, 0.04),
        webbed=True,
    ),
    "green budgerigar": Kind(
        BUDGIE,
        _budgie((0.14, 0.42, 0.06), (0.62, 0.56, 0.08)),
        (0.03, 0.03, 0.02),
        (0.05, 0.07, 0.03),
        (0.58, 0.54, 0.12),
        tail=(0.02, 0.09, 0.20),
        beak=(0.42, 0.36, 0.2),
        legs=(0.3, 0.25, 0.25),
        hooked=True,
    ),
    "blue budgerigar": Kind(
        BUDGIE,
        _budgie((0.08, 0.26, 0.52), (0.72, 0.73, 0.72)),
        (0.03, 0.03, 0.034),
        (0.05, 0.06, 0.09),
        (0.66, 0.67, 0.68),
        tail=(0.02, 0.05, 0.22),
        beak=(0.42, 0.38, 0.24),
        legs=(0.3, 0.26, 0.28),
        hooked=True,
    ),
}


class _Frame:
    """The axes of a bird: along its tilted body, up from its back, and its turned head."""

    def __init__(self, shape, tilt, head_turn, head_pitch):
        self.shape = shape
        self.axis = np.array((math.cos(tilt), 0, math.sin(tilt)))
        self.back = np.array((-math.sin(tilt), 0, math.cos(tilt)))
        self.centre = np.array((0, 0, shape.leg + shape.girth * 0.93))
        self.look = np.array(
            (
                math.cos(head_turn) * math.cos(head_pitch),
                math.sin(head_turn) * math.cos(head_pitch),
                math.sin(head_pitch),
            )
        )
        self.left = np.array((-math.sin(head_turn), math.cos(head_turn), 0))
        self.crown = np.cross(self.look, self.left)
        breast = self.centre + self.axis * shape.half * 0.62
        self.neck = [(breast, shape.girth * 0.80)]
        place = breast
        for forward, up, radius in (*shape.neck, shape.head):
            place = place + np.array((forward, 0, up))
            self.neck.append((place, radius))
        self.head = place

    def side(self, along, up, sideways):
        """A point from body coordinates (metres along the axis, up from it, sideways)."""
        along, up, sideways = np.broadcast_arrays(along, up, sideways)
        return (
            self.centre
            + along[..., None] * self.axis
            + up[..., None] * self.back
            + sideways[..., None] * np.array((0, 1.0, 0))
        )

    def middle(self, along):
        """How far the middle of the body lies above its axis: the rump is raised."""
        half, girth = self.shape.half, self.shape.girth
        return (
            np.interp(along / half, (-1.15, -0.85, -0.35, 0.15), (0.22, 0.14, 0.02, -0.04)) * girth
        )

    def flank(self, along, up):
        """Half the width of the body at that height."""
        return np.sqrt(np.clip(self.radius(along) ** 2 - (up - self.middle(along)) ** 2, 0, None))

    def radius(self, along):
        """Radius of the body at a place on its axis; behind the rump, that of the tail root."""
        half, girth = self.shape.half, self.shape.girth
        places = np.array((-2.6, -1.15, -0.85, -0.35, 0.15, 0.62, 0.9)) * half
        sizes = np.array((0.16, 0.33, 0.55, 0.93, 1.02, 0.90, 0.70)) * girth
        return np.interp(along, places, sizes)


def _add_body(body, frame):
    """Trunk, neck, head and thighs."""
    shape, half, girth = frame.shape, frame.shape.half, frame.shape.girth

    def knot(along, up, radius):
        return (
            *(frame.centre + frame.axis * along * half + frame.back * up * girth),
            radius * girth,
        )

    body.limb(
        "trunk",
        knot(0.62, -0.02, 0.86),
        knot(0.15, -0.04, 1.0),
        knot(-0.35, 0.02, 0.88),
        knot(-0.85, 0.14, 0.50),
        knot(-1.15, 0.22, 0.26),
    )
    path = [(*place, radius) for place, radius in reversed(frame.neck)]
    body.limb("neck", *path)
    head_radius = shape.head[2]
    for forward, up, size in ((0.42, -0.10, 0.60), (-0.25, 0.05, 0.90)):
        place = frame.head + (frame.look * forward + frame.crown * up) * head_radius
        body.limb("head", (*place, size * head_radius), (*frame.head, head_radius * 0.97))
    for side in (1, -1):
        hip = frame.centre + frame.axis * half * -0.12 - frame.back * girth * 0.45
        knee = np.array((hip[0] * 0.5 + 0.002, 0, shape.leg * 0.95))
        hip = hip + np.array((0, side * girth * 0.45, 0))
        knee = knee + np.array((0, side * girth * 0.48, 0))
        body.limb("thigh", (*hip, girth * 0.42), (*knee, max(girth * 0.13, 0.003)))


def _field(frame, points, seed):
    """The measures of skin points that plumage functions work with."""
    shape = frame.shape
    local = points - frame.centre
    along, up = local @ frame.axis, local @ frame.back
    off = points - frame.head
    radius = shape.head[2]
    forward, high = off @ frame.look / radius, off @ frame.crown / radius
    reach = np.linalg.norm(off, axis=1) / radius
    in_body = np.stack([along * 0.35, points[:, 1], up], 1)
    return Field(
        along=along / shape.half,
        up=up / np.maximum(frame.radius(along), 1e-4),
        on_head=smoothstep(1.75, 1.25, reach),
        forward=forward,
        high=high,
        noise=noise(points, 0.9 / shape.girth, seed),
        streak=noise(in_body, 7.0 / shape.girth, seed + 1),
    )


def _feather(frame, side, base, tip, width, height, colors, material):
    """One long feather lying on the body: base and tip are (along, up), height is its layer."""
    rows, columns = 9, 4
    t = np.linspace(0, 1, rows)[:, None]
    v = np.linspace(-1, 1, columns)[None]
    direction = np.array(tip) - np.array(base)
    direction /= np.linalg.norm(direction)
    breadth = width * np.sqrt(np.clip(1 - ((t - 0.35) / 0.66) ** 4, 0.02, 1))
    along = base[0] + (tip[0] - base[0]) * t + v * breadth * -direction[1]
    up = base[1] + (tip[1] - base[1]) * t + v * breadth * direction[0]
    flat = frame.shape.girth * (0.14 + 0.10 * (1 - t))
    points = frame.side(along, up, side * (np.maximum(frame.flank(along, up), flat) + height))
    main, edge, end = (np.array(color) for color in colors)
    fringe = np.broadcast_to(smoothstep(0.3, 1.0, -v * 1.0) * 0.8 + 0 * t, (rows, columns))[
        ..., None
    ]
    shade = main * (1 - fringe) + edge * fringe
    ending = np.broadcast_to(smoothstep(0.70, 0.85, t) + 0 * v, (rows, columns))[..., None]
    shade = shade * (1 - ending) + end * ending
    organic.grid_mesh(points, material, "feather", shade)


def _wing(frame, side, kind, material):
    """A folded wing: a fan of long feathers under a shield of small ones, laid on the flank."""
    half, girth, tail = frame.shape.half, frame.shape.girth, frame.shape.tail
    count = 13
    reach = min(0.33 * frame.shape.wing * tail, 1.02 * tail)
    for i in range(count):
        q = i / (count - 1)
        base = ((0.10 - 0.25 * (1 - q)) * half, (0.62 - 0.85 * q) * girth)
        back = (0.80 + 0.42 * q) * half + reach * max(0, (q - 0.45) / 0.55) ** 1.3
        # the lowest feather is the leading edge: it ends with the others in one wing tip
        rise = 0.52 - 0.10 * q - 0.55 * q * (1 - q) - 0.08 * q * q
        tip = (-back, rise * girth)
        ends = kind.tip if kind.tip and q > 0.5 else kind.flight
        tone = 1 + 0.22 * ((i % 2) - 0.5)
        main = np.array(kind.flight) * tone
        height = girth * (0.125 - 0.050 * q)
        _feather(frame, side, base, tip, girth * 0.17, height, (main, kind.edge, ends), material)

    rows, columns = 40, 28
    s = np.linspace(0, 1, rows)[:, None]
    t = np.linspace(0, 1, columns)[None]
    scallop = 0.035 * np.abs(np.sin(math.pi * 5 * t)) * s**3
    along = half * (0.60 - 1.22 * (s + scallop) + 0.22 * (t - 0.3) * s)
    top = girth * (0.20 + 0.52 * s**0.6)
    low = girth * (0.05 - 0.50 * np.sin(np.pi * np.clip(s * 0.62 + 0.06, 0, 1)) ** 0.8)
    up = top + (low - top) * t
    dome = np.sin(np.pi * t) ** 0.4 * smoothstep(0, 0.35, s)
    height = girth * (-0.06 + 0.25 * dome - 0.03 * s)
    flank = np.maximum(frame.flank(along, up), 0.1 * girth)
    points = frame.side(along, up, side * (flank + height))
    rank = s * 6.0 + 0.30 * np.cos(2 * math.pi * 6 * t)
    within = rank - np.floor(rank)
    edge = smoothstep(0.62, 0.92, within) * 0.75
    tone = 0.82 + 0.30 * within
    shade = np.array(kind.covert) * tone[..., None]
    shade = shade * (1 - edge[..., None]) + np.array(kind.edge) * edge[..., None]
    if kind.bar is not None:
        bar = (smoothstep(0.70, 0.75, s) * smoothstep(0.86, 0.82, s) + 0 * t)[..., None]
        shade = shade * (1 - bar) + np.array(kind.bar) * bar
    organic.grid_mesh(points, material, "wing", shade)


def _tail(frame, kind, material):
    """Ten tail feathers, laid over each other in a narrow fan."""
    half, girth = frame.shape.half, frame.shape.girth
    length, width = frame.shape.tail, frame.shape.tail_width
    color = np.array(kind.tail or kind.flight)
    cock = stage.random.uniform(-0.12, 0.10)
    spread = stage.random.uniform(0.9, 1.5)
    for i in range(10):
        q = (i - 4.5) / 4.5
        rows, columns = 7, 3
        t = np.linspace(0, 1, rows)[:, None]
        v = np.linspace(-1, 1, columns)[None]
        breadth = width * 0.36 * np.sqrt(np.clip(1 - ((t - 0.3) / 0.71) ** 6, 0.05, 1))
        reach = length * (1 - 0.06 * abs(q)) * t
        along = -half * 0.95 - reach + 0 * v
        sideways = q * width * (0.45 + 0.55 * spread * t) + v * breadth
        up = girth * 0.20 + cock * reach - abs(q) * girth * 0.05 - sideways**2 / width * 0.10
        pale = np.array(kind.edge)
        fringe = (smoothstep(0.4, 1.0, np.abs(v)) * 0.35 + 0 * t)[..., None]
        shade = color * (0.85 + 0.3 * (i % 2)) * (1 - fringe) + pale * fringe
        organic.grid_mesh(frame.side(along, up, sideways), material, "tail", shade)


def _beak(frame, kind, material):
    """Beak of two halves: rings along a falling line; a budgerigar's is a hook."""
    length, depth, width, drop = frame.shape.beak
    rings, spokes = 14, 20
    root = (
        frame.head
        + frame.look * frame.shape.head[2] * 0.86
        - frame.crown * frame.shape.head[2] * 0.12
    )
    t = np.linspace(0, 1, rings)[:, None]
    turn = np.linspace(0, 2 * math.pi, spokes)[None]
    if kind.webbed and kind.shape is DUCK:
        tall = depth * (1 - 0.72 * t**0.6) * np.sqrt(np.clip(1 - t**10, 0.01, 1))
        wide = width * (0.85 + 0.25 * t) * np.sqrt(np.clip(1 - t**8, 0.01, 1))
    else:
        power = 0.5 if kind.hooked else 0.85
        tall = depth * (1 - t) ** power + 0.0002
        wide = width * (1 - t) ** power + 0.0002
    forward = length * (np.sin(t * math.pi / 2) if kind.hooked else t)
    fall = -drop * t**2
    points = (
        root
        + forward[..., None] * frame.look
        + (wide * np.cos(turn))[..., None] * frame.left
        + (fall + tall * np.sin(turn))[..., None] * frame.crown
    )
    seam = (1 - 0.65 * np.exp(-(((np.sin(turn) + 0.12) / 0.16) ** 2)) * (1 - 0.3 * t))[..., None]
    colors = np.array(kind.beak) * seam * (1 - 0.25 * t**2)[..., None]
    organic.grid_mesh(points, material, "beak", colors)
    if kind.hooked:
        cere = paint((0.10, 0.16, 0.40, 1), 0.5)
        ball(depth * 0.55, root + frame.crown * depth * 0.9, cere, (1, 1.2, 0.6), 12)
    return root


def _eyes(frame, body, kind):
    """Dark glossy eyes with a highlight of their own, sometimes a coloured iris or a ring."""
    radius = frame.shape.eye
    dark = paint((0.004, 0.003, 0.003, 1), 0.06, coat=1.0)
    for side in (1, -1):
        aim = frame.look * 0.42 + frame.left * side + frame.crown * 0.20
        aim /= np.linalg.norm(aim)
        place = body.surface(frame.head, aim)
        centre = place - aim * radius * 0.35
        if max(kind.eye) > 0.05:
            ball(radius, centre, paint((*kind.eye, 1), 0.2, coat=1.0), segments=20)
            ball(radius * 0.66, centre + aim * radius * 0.42, dark, segments=16)
        else:
            ball(radius, centre, dark, segments=20)
        if kind.eye_ring is not None:
            ring = [
                centre
                + aim * radius * 0.45
                + radius
                * 1.02
                * (math.cos(a) * frame.crown + math.sin(a) * np.cross(aim, frame.crown))
                for a in np.linspace(0, 2 * math.pi, 13)[:-1]
            ]
            tube(ring, radius * 0.2, paint((*kind.eye_ring, 1), 0.5), cyclic=True)


def _legs(frame, kind):
    """Two legs with three toes forward and one back; webs for water birds."""
    shape = frame.shape
    material = paint((*kind.legs, 1), 0.5)
    thick = max(0.0014, shape.girth * 0.045)
    for side in (1, -1):
        hip = frame.centre + frame.axis * shape.half * -0.12
        ankle = np.array((hip[0] * 0.5 + 0.002, side * shape.girth * 0.48, shape.leg * 1.05))
        foot = np.array((0.004 + hip[0] * 0.5, side * shape.girth * 0.52, thick))
        tube([ankle, (ankle + foot) / 2 - (0.002, 0, 0), foot], thick, material)
        toe = shape.girth * (0.62 if not kind.webbed else 0.72)
        tips = []
        for angle in (-0.5, 0.0, 0.5, math.pi):
            reach = toe * (0.6 if angle == math.pi else 1.0)
            tip = foot + np.array((math.cos(angle), math.sin(angle), 0)) * reach
            tip[2] = thick * 0.6
            tips.append(tip)
            middle = (foot + tip) / 2 + (0, 0, thick * 0.5)
            tube([foot, middle, tip], thick * 0.8, material, radii=[1, 0.9, 0.45])
        if kind.webbed:
            heel = foot + np.array((0, 0, 0.001))
            web = np.array([[heel, heel, heel], tips[:3]])
            organic.grid_mesh(web, material, "web")


def bird(location, rotation=0.0, scale=1.0, kind=None, perched=False):
    """A bird of true size (sparrow 15 cm, duck 50 cm) that faces +x; kinds: see KINDS.

    `perched`: it sits on something thin, so that its tail may hang lower than its feet.
    """
    name = kind or stage.random.choice(tuple(KINDS))
    kind = KINDS[name]
    shape = kind.shape
    seed = stage.random.randrange(1000)
    tilt = math.radians(shape.tilt + stage.random.uniform(-9, 9))
    if not perched:  # keep the tail off the ground
        room = (shape.leg + shape.girth * 1.0) / (shape.half + shape.tail)
        tilt = min(tilt, math.asin(min(room, 1.0)))
    head_turn = stage.random.choice((0.2, 0.6, 1.1)) * stage.random.uniform(-1, 1)
    frame = _Frame(shape, tilt, head_turn, stage.random.uniform(-0.12, 0.15))
    with stage.labelled("bird"), stage.group(location, rotation, scale):
        body = Body(blend=shape.girth * 0.13)
        _add_body(body, frame)
        feathers = organic.painted(roughness=0.62, sheen=0.05, specular=0.25)
        skin = body.skin(shape.girth * 0.115, feathers, "bird")
        points = organic.vertices(skin.data)
        colors = kind.plumage(_field(frame, points, seed))
        organic.tint(skin, colors)
        flow = body.measure(points)[4]
        off_beak = points - (frame.head + frame.look * shape.head[2] * 1.1)
        near_head = smoothstep(
            1.9, 1.2, np.linalg.norm(points - frame.head, axis=1) / shape.head[2]
        )
        flow = mixed(flow, off_beak / np.linalg.norm(off_beak, axis=1, keepdims=True), near_head)
        lengths = shape.girth * (0.20 - 0.11 * near_head)
        local = points - frame.centre
        wing_zone = smoothstep(0.62, 0.50, local @ frame.axis / shape.half)
        wing_zone *= smoothstep(-0.42, -0.28, local @ frame.back / shape.girth) * (1 - near_head)
        lengths = lengths * (1 - 0.75 * wing_zone)
        down = organic.painted(roughness=0.6, specular=0.2, strands=True)
        organic.comb(
            skin,
            Fleece(flow, lengths, colors),
            11000,
            down,
            radius=shape.girth * 0.018,
            lift=0.10,
            droop=0.05,
            jitter=0.12,
            steps=3,
        )
        for side in (1, -1):
            _wing(frame, side, kind, feathers)
        _tail(frame, kind, feathers)
        _beak(frame, kind, organic.painted(roughness=0.32, specular=0.4))
        _eyes(frame, body, kind)
        _legs(frame, kind)
