"""The animals of the data set; see cats.py and birds.py for how they are made."""

from .birds import KINDS as BIRD_KINDS
from .birds import bird
from .cats import COATS, POSES, cat

__all__ = ["BIRD_KINDS", "COATS", "POSES", "bird", "cat"]
