"""The real course from a real bundle, where there is no network: only if it is asked for.

SEGLAB_TEST_BUNDLE=1 in the environment does so. With CUDA it downloads 3 GB and needs 16 GB of disk
in the folder for temporary files.
"""

import os
import subprocess
import sys

import pytest
from helpers import REPOSITORY
from test_bundle import NO_NETWORK, TARGET, start

from seglab.classroom import bundle, stick


@pytest.mark.skipif(
    os.environ.get("SEGLAB_TEST_BUNDLE") != "1" or sys.platform == "win32",
    reason="downloads and installs gigabytes; SEGLAB_TEST_BUNDLE=1 asks for it",
)
def test_the_course_runs_from_a_bundle_without_a_network(tmp_path):
    made = bundle.make(tmp_path / "stick", clone=REPOSITORY)
    assert stick.damaged(made) == []
    opened = start(made, "--version")
    print(opened.stdout)
    assert opened.returncode == 0, opened.stderr
    python = made / f"environment-{TARGET}" / "bin" / "python"
    up = "ip link set lo up && " if NO_NETWORK else ""  # kernels and Jupyter talk through it
    script = f'{up}"{python}" -m seglab doctor && "{python}" -m pytest -p no:cacheprovider -q'
    script += " --nbval-lax --nbval-current-env --nbval-cell-timeout=600 03-*.ipynb"
    variables = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(tmp_path), "SEGLAB_BUDGET": "test"}
    command = [*NO_NETWORK, "/bin/sh", "-c", script]
    subprocess.run(command, cwd=made / "notebooks", env=variables, check=True)
