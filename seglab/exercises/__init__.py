"""Exercises that check themselves: `check.NAME(your_function)`, and `progress()` over all of them.

`checking` runs a function and says what it finds; each `notebook_NN` holds the checks of one
notebook. A check compares the learner's function with the package on random and on degenerate
inputs. It never raises: whatever happens is one message.
"""

from pathlib import Path

from seglab.exercises import (  # noqa: F401, each notebook registers its checks, in this order
    checking,
    notebook_01,
    notebook_02,
    notebook_03,
    notebook_04,
    notebook_05,
    notebook_06,
    notebook_07,
    notebook_08,
    notebook_09,
    notebook_10,
)
from seglab.exercises.checking import check
from seglab.exercises.records import progress_table
from seglab.machine.tables import Table

__all__ = ["check", "progress"]


def progress(folder: str | Path | None = None) -> Table:
    """What is done and what is not, notebook by notebook.

    Args:
        folder: the folder with a learner's `exercises.jsonl`; default: your own, where the
            notebooks put their results.

    Raises:
        FileNotFoundError: `folder` was given and holds no such file.
    """
    return progress_table(checking.EXERCISES.values(), folder)
