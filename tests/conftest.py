"""What several test files share."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Two processes run the tests (addopts in pyproject.toml), each on a core of its own. Set before
# torch is imported; kernels and programs that the tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))  # so that `import helpers` works everywhere

# The same examples on every run: a red test can be repeated, and a green one stays green.
settings.register_profile(
    "course",
    deadline=None,
    max_examples=50,  # of 100, hypothesis's default: all tests are to take less than 25 minutes
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("course")


@pytest.fixture
def tiny_voc(tmp_path):
    """A folder in VOC layout: 6 training and 3 validation images, 3 classes, 64 x 48 pixels."""
    from helpers import make_tiny_voc

    return make_tiny_voc(tmp_path / "tiny")
