"""Google Colab: what the set-up cell of every notebook calls once it has installed seglab.

The cell itself is in `seglab.classroom.publish`, because it must work before there is a package.
"""

import os
from importlib.metadata import version
from pathlib import Path

import torch

DRIVE = Path("/content/drive")  # where the set-up cell and Colab's own button mount Drive
RUNS = Path("MyDrive/seglab/runs")  # in it


def upload() -> str:
    """Ask for a file from the learner's own machine; its name once it has arrived.

    Raises:
        FileNotFoundError: none was chosen.
    """
    from google.colab import files

    for name in files.upload():
        return name
    raise FileNotFoundError("no file was chosen; run the cell again, or set MINE back to None")


def setup() -> None:
    """Say which torch and which GPU there are, and where results go: one line each."""
    gpu = (
        "no GPU. All of the course runs without, more slowly; to get one choose Runtime > Change "
        "runtime type > T4 GPU, then run all cells from the first"
    )
    if torch.cuda.is_available():
        found = torch.cuda.get_device_properties(0)
        gpu = f"GPU: {found.name}, {found.total_memory / 1e9:.1f} GB"
    print(f"seglab {version('seglab')} with Colab's own torch {torch.__version__}; {gpu}.")
    if (DRIVE / "MyDrive").is_dir():
        os.environ["SEGLAB_RUNS"] = str(DRIVE / RUNS)  # where `seglab.machine.runtime` looks
        print(
            f"Checkpoints and runs go to Google Drive, {RUNS}: after a disconnect they are still "
            "there, and a training with resume=True goes on."
        )
    else:
        print(
            "Checkpoints and runs are lost when this session ends. To keep them in your Google "
            "Drive set KEEP_IN_DRIVE above to True and run this cell again."
        )
