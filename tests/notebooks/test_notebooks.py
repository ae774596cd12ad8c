"""Every stored notebook is executed, clean and small; the checker itself is tried on bad ones."""

import getpass
import json
import re
import shutil
import socket
import warnings
from itertools import pairwise

import nbformat
import pytest
from execute_notebooks import WIDGET
from helpers import REPOSITORY
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from seglab.classroom import publish


from notebook_rules import CHECKED, NOTEBOOKS, problems

@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_stored_notebook_is_executed_and_clean(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # missing cell ids and the like
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    assert problems(notebook, path.stat().st_size) == []


def test_readme_notebooks_and_settings_say_the_same_about_where_the_course_is(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for path in [REPOSITORY / "pyproject.toml", REPOSITORY / "README.md", *NOTEBOOKS]:
        shutil.copy(path, tmp_path / path.relative_to(REPOSITORY))
    stale = [path.name for path in publish.publish(tmp_path)]
    assert not stale, f"run `python -m seglab publish`; it would write {stale}"


def linked(text: str) -> set[str]:
    return set(re.findall(r"notebooks/([\w.-]+\.ipynb)", text))


def test_the_readmes_map_names_every_notebook_and_no_other():
    assert NOTEBOOKS
    assert linked((REPOSITORY / "README.md").read_text()) == {path.name for path in NOTEBOOKS}


def test_the_first_slice_is_there():
    numbers = {path.name[:2] for path in NOTEBOOKS}
    assert {"01", "02", "04"} <= numbers
    assert len(numbers) == len(NOTEBOOKS)


# ---------------------------------------------------------------- the checker can find faults


def good():
    cells = [
        new_markdown_cell("# 00 · A notebook\n\nAbout 2 minutes on a CPU; see https://a.b/c/d."),
        new_code_cell(
            "import sys\nprint(end='')",
            execution_count=1,
            metadata={"tags": ["hide-input", publish.TAG]},
        ),
        new_code_cell("import torch", execution_count=2),
        new_code_cell(
            "torch.ones(2).shape",
            execution_count=3,
            metadata={"tags": [CHECKED]},
            outputs=[new_output("execute_result", {"text/plain": "[2]"}, execution_count=3)],
        ),
        new_code_cell(
            "print(1 / 2, 'data/rooms')",
            execution_count=4,
            outputs=[
                new_output("stream", name="stdout", text="0.5 data/rooms 3 km/h, 1/2/3, <b>a</b>"),
                new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"}),
            ],
            metadata={"alt": "Two bars, the left one twice as high: half of the pixels are road."},
        ),
        new_markdown_cell("## A section\n\n```python\n# a comment\n#### another\n```\n\n### Part"),
        new_markdown_cell(
            "~~~\n# no heading\n~~~\n## The next section\n\nText # with a sign, `# code`."
        ),
    ]
    return new_notebook(cells=cells)


def fault_executed(notebook):
    notebook.cells[2].execution_count = None


def fault_executed_out_of_order(notebook):
    notebook.cells[2].execution_count, notebook.cells[3].execution_count = 3, 2


def fault_executed_twice(notebook):
    for cell in notebook.cells[1:5]:
        cell.execution_count += 5


def fault_error(notebook):
    notebook.cells[3].outputs.append(new_output("error", ename="E", evalue="", traceback=["E"]))


def fault_warning(notebook):
    notebook.cells[4].outputs[0].text = "UserWarning: something is old"


def fault_stderr(notebook):
    notebook.cells[4].outputs[0].name = "stderr"


def fault_torn(notebook):
    notebook.cells[4].outputs.insert(0, new_output("stream", name="stdout", text="half a "))


def fault_widget(notebook):
    notebook.cells[4].outputs[1].data[WIDGET] = {"model_id": "0123", "version_major": 2}


def fault_unfinished(notebook):
    notebook.cells[0].source += "\n\nPLACEHOLDER for the picture"


def fault_path(notebook):
    notebook.cells[4].outputs[0].text = "reading /home/someone/course/data/rooms"


def fault_path_in_parentheses(notebook):
    notebook.cells[4].outputs[0].text = "DatasetError('/tmp/abc/rooms: not a folder')"


def fault_path_of_windows(notebook):
    notebook.cells[4].outputs[0].text = r"reading C:\Users\someone"


def fault_path_in_source(notebook):
    notebook.cells[4].source = 'open("/work/data/file.txt")'


def fault_path_in_html(notebook):
    notebook.cells[4].outputs[1].data["text/html"] = '<a href="/usr/lib/x">a</a>'


def fault_speed(notebook):
    notebook.cells[4].outputs[0].text = "100%|####| 4/4 [00:01<00:00, 3.99it/s]"


def fault_lines(notebook):
    notebook.cells[4].source = "\n".join("x = 1" for _ in range(16))


def fault_lines_of_a_figure(notebook):
    notebook.cells[4].source = "\n".join("x = 1" for _ in range(21))
    notebook.cells[4].metadata["tags"] = ["hide-input"]


def fault_imports(notebook):
    notebook.cells[4].source = "x = 1\nfrom math import pi"


def fault_imports_indented(notebook):
    notebook.cells[4].source = "if True:\n    import math"


def fault_setup(notebook):
    del notebook.cells[1].metadata["tags"]
    notebook.cells[1].source = "1 + 1"
    notebook.cells[2].source = "1 + 1"


def fault_setup_twice(notebook):
    notebook.cells[4].metadata["tags"] = [publish.TAG]


def fault_setup_that_was_run_on_colab(notebook):
    notebook.cells[1].outputs = [new_output("stream", name="stdout", text="no GPU")]


def fault_lines_of_the_setup(notebook):
    notebook.cells[1].source = "\n".join("import sys" for _ in range(31))


def fault_header(notebook):
    notebook.cells[0].source = "# A title and no time"


def fault_header_without_title(notebook):
    notebook.cells[0].source = "2 minutes"


def fault_checked(notebook):
    notebook.cells[3].metadata["tags"] = []


def fault_checked_without_output(notebook):
    notebook.cells[3].outputs = []


def fault_name(notebook):
    notebook.cells[4].outputs[0].text = "trained on gretas-laptop"


def fault_alt(notebook):
    del notebook.cells[4].metadata["alt"]


def fault_alt_of_another_kind_of_picture(notebook):
    notebook.cells[3].outputs[0].data["image/svg+xml"] = "<svg/>"


def fault_alt_too_short(notebook):
    notebook.cells[4].metadata["alt"] = "Two bars." + 60 * " "


def fault_alt_too_long(notebook):
    notebook.cells[4].metadata["alt"] *= 10


def fault_alt_needless(notebook):
    notebook.cells[4].metadata["alt"] = (
        "Image of two bars, the left one twice as high as the other."
    )


def fault_alt_shows(notebook):
    notebook.cells[4].metadata["alt"] = "The figure shows two bars, one twice as high as the other."


def fault_alt_twice(notebook):
    notebook.cells[3].outputs[0].data["image/png"] = "aGk="
    notebook.cells[3].metadata["alt"] = notebook.cells[4].metadata["alt"]


def fault_alt_without_picture(notebook):
    notebook.cells[3].metadata["alt"] = "Two bars, the left one twice as high as the right one."


def fault_headings(notebook):
    notebook.cells[6].source = "##### Two levels further down"


def fault_headings_second_title(notebook):
    notebook.cells[6].source = "# Another title"


def fault_headings_first_section(notebook):
    notebook.cells[5].source = "### A part of nothing"


def fault_headings_as_html(notebook):
    notebook.cells[5].source = "<h4>Two levels further down</h4>"


def fault_headings_after_code(notebook):
    notebook.cells[6].source = "```\ncode\n```\n##### After the block"


def test_a_good_notebook_has_no_problems():
    assert problems(good(), 1000) == []
    long_figure = good()
    long_figure.cells[4].source = "\n".join("x = 1" for _ in range(20))
    long_figure.cells[4].metadata["tags"] = ["hide-input"]
    assert problems(long_figure, 1000) == []


@pytest.mark.parametrize("plant", [f for n, f in sorted(globals().items()) if n[:6] == "fault_"])
def test_a_planted_fault_is_found_and_nothing_else(plant, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "gretas-laptop")
    notebook = good()
    plant(notebook)
    kind = plant.__name__.split("_")[1]
    found = problems(notebook, 1000)
    assert found and all(p.startswith(f"{kind}:") for p in found), found


def test_a_large_notebook_is_found():
    assert problems(good(), 1_500_001) == ["size: 1.50 MB"]
