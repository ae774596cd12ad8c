"""Notebooks to hand out: no line of a solution is left in them."""

import json
import re

import pytest
from helpers import REPOSITORY

from seglab.classroom import blank, shell

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_solution_is_left(path, tmp_path):
    assert shell.main(["mark", "--make-blank", str(tmp_path / "blank"), "--", str(path)]) == 0
    left = cells(tmp_path / "blank" / path.name)
    gone = [cell for cell in cells(path) if cell not in left]
    assert gone and all("<summary>Solution" in source(cell) for cell in gone)
    assert len(left) + len(gone) == len(cells(path))
    everything = "\n".join(map(source, left)) + json.dumps([c.get("outputs") for c in left])
    prose = re.sub(r"```.*?```|<[^>]+>", "", "\n".join(map(source, gone)), flags=re.S)
    lines = [line for line in prose.splitlines() if len(line) > 30]
    assert lines and not [line for line in lines if line in everything]
    tags = [cell["metadata"].get("tags", []) for cell in left]
    assert sum("exercise" in tag for tag in tags) == len(gone)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# no exercises", "no cell begins with a solution"),
        (f"{blank.SOLUTION}\n</details>", ""),
        (f"First this.\n\n{blank.SOLUTION}\n</details>", "no cell begins with a solution"),
    ],
)
def test_what_cannot_be_cut_is_refused(text, words, tmp_path, capsys):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"source": [text], "metadata": {}}]}))
    status = shell.main(["mark", str(path), "--make-blank", str(tmp_path / "blank")])
    assert status == bool(words) and words in capsys.readouterr().err
    assert (tmp_path / "blank").exists() != bool(words)


def test_a_solution_within_a_cell_is_refused():
    texts = [blank.SOLUTION, f"Words.\n\n{blank.SOLUTION}"]
    with pytest.raises(ValueError, match="does not begin its cell"):
        blank.blank({"cells": [{"source": text} for text in texts]})


def test_no_notebook_is_written_over(capsys):
    path = str(NOTEBOOKS[0])
    assert shell.main(["mark", path, "--make-blank", str(NOTEBOOKS[0].parent)]) == 1
    assert "exists; name another folder" in capsys.readouterr().err
