"""Which pictures the data set has: how many of each scene kind, their names, the split.

Plain Python: reading the plan needs no Blender.
"""

from random import Random
from typing import NamedTuple

YEAR = 2026
TRAIN, VALIDATION = 360, 120

#: Pictures of each scene kind; they add up to TRAIN + VALIDATION.
COUNTS = {
    "living": 32,
    "television": 32,
    "dining": 34,
    "office": 38,
    "kitchen": 20,
    "tabletop": 28,
    "sill": 20,
    "reading": 16,
    "hallway": 22,
    "sofa_cat": 22,
    "cat": 18,
    "loft": 26,
    "shelf": 16,
    "pet_bird": 28,
    "street": 39,
    "terrace": 30,
    "bird": 45,
    "garden": 14,
}


class Entry(NamedTuple):
    """One picture of the data set."""

    name: str
    scene: str
    seed: int
    split: str


def entries():
    """All pictures in the order of their names; scene kinds are mixed, the split is fixed.

    The split is random by picture and stratified: a quarter of each scene kind, rounded so
    that the total fits, is for validation.
    """
    assert sum(COUNTS.values()) == TRAIN + VALIDATION
    random = Random(2026)
    pictures = [(scene, seed) for scene, count in COUNTS.items() for seed in range(count)]
    share = VALIDATION / (TRAIN + VALIDATION)
    validation = set()
    owed = 0.0
    for scene, count in COUNTS.items():
        owed += count * share
        taken = round(owed) - len(validation)
        validation |= {(scene, seed) for seed in random.sample(range(count), taken)}
    random.shuffle(pictures)
    return [
        Entry(f"{YEAR}_{number:06d}", *picture, "val" if picture in validation else "train")
        for number, picture in enumerate(pictures, 1)
    ]
