"""Notebooks to hand out without solutions: `seglab mark --make-blank FOLDER NOTEBOOK ...`."""

import copy
import json
from pathlib import Path

from seglab.classroom import clone
from seglab.machine.files import written_whole

SOLUTION = "<details><summary>Solution</summary>"  # how the cell of a solution begins


def make(notebooks: list[str | Path], folder: str | Path) -> None:
    """Write copies of notebooks without their solutions into a folder.

    Raises:
        ValueError: a file cannot be read as a notebook, has no solution, or would be written over.
    """
    pages = {}
    for path in map(Path, notebooks):
        try:
            notebook = blank(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: {error}; nothing was written") from error
        target = Path(folder) / path.name
        if target.exists():
            raise ValueError(f"{target} exists; name another folder. Nothing was written")
        pages[target] = clone.as_text(notebook)
    for target, text in pages.items():
        with written_whole(target) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
        print("wrote", target)


def blank(notebook: dict) -> dict:
    """A copy of a notebook without the cells that hold solutions.

    Raises:
        ValueError: it has none, or one stands among other text, from which it cannot be cut.
    """
    notebook = copy.deepcopy(notebook)
    texts = ["".join(cell["source"]) for cell in notebook["cells"]]
    kept = [
        cell
        for cell, text in zip(notebook["cells"], texts, strict=True)
        if not text.startswith(SOLUTION)
    ]
    if len(kept) == len(texts):
        raise ValueError("no cell begins with a solution; is this a notebook of the course?")
    if any("<summary>Solution" in "".join(cell["source"]) for cell in kept):
        raise ValueError("a solution does not begin its cell; give it a cell of its own")
    notebook["cells"] = kept
    return notebook
