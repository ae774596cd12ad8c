"""Three short ways to ask the picture's own random generator for something."""

from . import stage


def between(low, high):
    """A number between low and high."""
    return stage.random.uniform(low, high)


def choose(options):
    """One of the options (a list or a tuple)."""
    return stage.random.choice(options)


def happens(probability):
    """True with this probability."""
    return stage.random.random() < probability
