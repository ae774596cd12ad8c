"""Badges and set-up cells: written into a clone, replaced, taken away; nothing else is touched."""

import json
import shutil
import sys
import tomllib

import nbformat
import pytest
from helpers import REPOSITORY
from IPython.core.inputtransformer2 import TransformerManager
from notebook_rules import problems

from seglab.classroom import clone as clone_files
from seglab.classroom import publish
from seglab.classroom.publish import Publication, PublishError
from seglab.classroom.shell import main

VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
WHEEL = f"seglab-{VERSION}-py3-none-any.whl"
GITHUB = Publication("teacher/course", "main")


def markdown(source: str) -> dict:
    return {"cell_type": "markdown", "id": "a", "metadata": {}, "source": lines(source)}


def code(source: str, count: int | None, result: str | None = None) -> dict:
    cell = {"cell_type": "code", "execution_count": count, "id": f"c{source}", "metadata": {}}
    data = {"data": {"text/plain": [result]}, "execution_count": count, "metadata": {}}
    cell["outputs"] = [data | {"output_type": "execute_result"}] if result else []
    return cell | {"source": lines(source)}


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def as_text(cells: list[dict]) -> str:
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def cells_of(path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def setup_of(path) -> str:
    """The source of the set-up cell: there is one, after the title."""
    cells = cells_of(path)
    assert [publish.TAG in cell["metadata"].get("tags", []) for cell in cells].index(True) == 1
    assert sum(publish.TAG in cell["metadata"].get("tags", []) for cell in cells) == 1
    return "".join(cells[1]["source"])


def content(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def clone(tmp_path):
    """The files of the repository that matter here: three of its notebooks, and not published."""
    (tmp_path / "notebooks").mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))[:3]:
        shutil.copy(path, tmp_path / "notebooks" / path.name)
    publish.publish(tmp_path, Publication())
    return tmp_path


@pytest.fixture
def notebook(clone):
    return sorted((clone / "notebooks").glob("*.ipynb"))[0]


# ---------------------------------------------------------------- what is written


def test_a_first_repository_brings_badges_and_the_source(clone, notebook):
    changed = publish.publish(clone, GITHUB)
    assert len(changed) == 5  # pyproject.toml, README.md, three notebooks
    address = "https://colab.research.google.com/github/teacher/course/blob/main/notebooks/"
    readme = (clone / "README.md").read_text(encoding="utf-8")
    for path in notebook.parent.glob("*.ipynb"):
        row = next(line for line in readme.splitlines() if f"(notebooks/{path.name})" in line)
        assert row.endswith(f"({address}{path.name}) |")
        title, empty, badge, *_ = "".join(cells_of(path)[0]["source"]).split("\n")
        assert title.startswith("# ") and not empty
        assert badge == f"[![Open in Colab]({publish.BADGE})]({address}{path.name})"
        assert 'SOURCE = "git+https://github.com/teacher/course@main"' in setup_of(path)
    assert publish.read(clone) == (GITHUB, VERSION)
    assert "not published" not in readme


def test_published_notebooks_keep_the_form_that_the_course_asks_for(clone, notebook):
    publish.publish(clone, GITHUB)
    for path in notebook.parent.glob("*.ipynb"):
        assert problems(nbformat.read(path, as_version=4), path.stat().st_size) == []


def test_a_second_time_nothing_is_written(clone):
    publish.publish(clone, GITHUB)
    times = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    assert publish.publish(clone, GITHUB) == publish.publish(clone) == []
    assert times == {path: path.stat().st_mtime_ns for path in clone.rglob("*")}


def test_another_repository_replaces_the_first(clone, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(clone, other, dirs_exist_ok=True)
    publish.publish(clone, GITHUB)
    fork = Publication("Some-One/my.course", "term/2", "seglab")
    publish.publish(clone, fork)
    publish.publish(other, fork)
    assert content(clone) == content(other)
    assert not [name for name, text in content(clone).items() if b"teacher/course" in text]


def test_taking_it_back_restores_every_byte(clone):
    before = content(clone)
    publish.publish(clone, GITHUB)
    assert content(clone) != before
    publish.publish(clone, Publication())
    assert content(clone) == before


def test_all_other_cells_stay_as_they_were(clone, notebook):
    before = cells_of(notebook)
    publish.publish(clone, GITHUB)
    after = cells_of(notebook)
    assert after[2:] == before[2:]
    text = "".join(before[0]["source"])
    assert "".join(after[0]["source"]).replace(GITHUB.badge(notebook.name) + "\n\n", "") == text


@pytest.mark.parametrize(
    ("source", "requirement"),
    [
        ("", "git+https://github.com/teacher/course@main"),
        (WHEEL, WHEEL),
        ("https://a.org/seglab-1-py3-none-any.whl", "https://a.org/seglab-1-py3-none-any.whl"),
        ("seglab==0.2", "seglab==0.2"),
    ],
)
def test_the_source_is_what_pip_gets(clone, notebook, source, requirement):
    publish.publish(clone, Publication("teacher/course", source=source))
    assert f'SOURCE = "{requirement}"  #' in setup_of(notebook)
    assert ("must be public" in setup_of(notebook)) is (source == "")
    assert "uv build --wheel" not in setup_of(notebook)
    assert publish.read(clone)[0].source == source


def test_without_a_repository_the_readme_says_so_and_there_is_no_badge(clone, notebook):
    readme = (clone / "README.md").read_text(encoding="utf-8")
    assert "not published" in readme and f"dist/{WHEEL}" in readme
    assert not [name for name, text in content(clone).items() if b"colab-badge.svg" in text]
    assert f'SOURCE = "{WHEEL}"' in setup_of(notebook)
    assert "uv build --wheel" in setup_of(notebook)


# ---------------------------------------------------------------- the set-up cell


def test_the_set_up_cell_is_the_same_in_every_notebook_short_and_clean(clone, notebook):
    publish.publish(clone, GITHUB)
    cells = [cells_of(path)[1] for path in notebook.parent.glob("*.ipynb")]
    assert all(cell == cells[0] for cell in cells)
    assert len(cells[0]["source"]) <= 20 and cells[0]["outputs"] == []


def test_anywhere_but_on_colab_the_set_up_cell_does_nothing(
    notebook, capsys, tmp_path, monkeypatch
):
    assert "google.colab" not in sys.modules
    monkeypatch.chdir(tmp_path)
    before = content(tmp_path)
    namespace = {"get_ipython": lambda: pytest.fail("the cell called a magic")}
    exec(TransformerManager().transform_cell(setup_of(notebook)), namespace)
    assert capsys.readouterr().out == "" and content(tmp_path) == before


def test_a_new_notebook_gets_its_cell_and_waits_for_a_run(clone):
    new = clone / "notebooks" / "09-new.ipynb"
    cells = [
        markdown("# 09 · New\nNo empty line."),
        code("1", 1, "1"),
        code("", None),
        code("2", 2),
    ]
    new.write_text(as_text(cells), encoding="utf-8")
    with pytest.raises(clone_files.CloneError, match=r"one row of a table.*notebooks/09-new"):
        publish.publish(clone, GITHUB)
    with (clone / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\n| [09 New](notebooks/09-new.ipynb) | all | |\n")
    publish.publish(clone, GITHUB)
    title, _, first, empty, second = cells_of(new)
    assert "".join(title["source"]) == f"# 09 · New\n\n{GITHUB.badge(new.name)}\n\nNo empty line."
    counts = [cell["execution_count"] for cell in (cells_of(new)[1], first, empty, second)]
    assert counts == [None, 1, None, 2]  # nobody claims that it was run
    assert new.name in (clone / "README.md").read_text(encoding="utf-8")


def test_what_a_run_on_colab_left_in_the_cell_goes_away(clone, notebook):
    before = content(clone)
    cells = cells_of(notebook)
    cells[1]["outputs"] = [{"name": "stdout", "output_type": "stream", "text": ["no GPU"]}]
    cells[1]["source"][2] = "KEEP_IN_DRIVE = True\n"
    cells[1], cells[3] = cells[3], cells[1]
    notebook.write_text(as_text(cells), encoding="utf-8")
    assert publish.publish(clone) == [notebook]
    assert "KEEP_IN_DRIVE = False" in setup_of(notebook)
    assert cells_of(notebook)[1] == json.loads(before[f"notebooks/{notebook.name}"])["cells"][1]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repository": "course"}, "repository is OWNER/NAME"),
        ({"repository": "https://github.com/a/b"}, "found 'https://github.com/a/b'"),
        ({"repository": "a/b/c"}, "repository is"),
        ({"repository": "a/b\n"}, "repository is"),
        ({"repository": "a/b", "branch": ""}, "branch is"),
        ({"repository": "a/b", "branch": "my branch"}, "branch is"),
        ({"repository": "a/b", "branch": "-x"}, "branch is"),
        ({"source": "two words"}, "source is"),
        ({"source": 'x"; import os'}, "source is"),
        ({"source": "{name}"}, "source is"),
        ({"source": "$HOME/x.whl"}, "source is"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(PublishError, match=message):
        Publication(**settings)


def test_a_folder_that_is_no_clone_is_refused(tmp_path):
    with pytest.raises(
        clone_files.CloneError, match=r"no clone of the course.*Run this in a clone"
    ):
        publish.publish(tmp_path, GITHUB)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')
    with pytest.raises(clone_files.CloneError, match=r"no clone of the course"):
        publish.publish(tmp_path, GITHUB)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("README.md", "<!-- end of links -->", "", "one pair of marks"),
        ("pyproject.toml", 'branch = "main"\nsource', "source", "three lines"),
        ("notebook", '"cells"', '"sells"', "cells"),
        ("notebook", "{\n", "", "Extra data|Expecting value"),
        ("notebook", '"# 01', '"01', "no title"),
    ],
)
def test_with_one_broken_file_nothing_is_written(clone, notebook, name, old, new, message):
    path = notebook if name == "notebook" else clone / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    before = content(clone)
    with pytest.raises(clone_files.CloneError, match=message) as error:
        publish.publish(clone, GITHUB)
    assert path.name in str(error.value) and "nothing was written" in str(error.value)
    assert content(clone) == before


def test_stopped_half_way_it_is_finished_by_the_next_run(clone, monkeypatch):
    whole = clone_files.written_whole
    written = []

    def until_the_disk_is_full(path):
        if len(written) == 2:
            raise OSError("no space left")
        written.append(path)
        return whole(path)

    monkeypatch.setattr(clone_files, "written_whole", until_the_disk_is_full)
    with pytest.raises(OSError, match="no space"):
        publish.publish(clone, GITHUB)
    monkeypatch.undo()
    assert len(publish.publish(clone)) == 3  # the settings were written first
    assert publish.publish(clone, GITHUB) == []


# ---------------------------------------------------------------- from a shell


def test_from_a_shell(clone, notebook, monkeypatch, capsys):
    monkeypatch.chdir(clone)

    def run(*words):
        assert main(["publish", *words]) == 0
        return capsys.readouterr().out

    assert "nothing was written" in run()
    assert "wrote README.md" in run("--repository", "teacher/course")
    assert publish.read(clone)[0] == GITHUB
    assert "nothing was written" in run()
    run("--branch", "winter")
    assert "teacher/course@winter" in setup_of(notebook)
    run("--source", "seglab")
    run("--repository", "other/course")
    assert publish.read(clone)[0] == Publication("other/course", "winter", "seglab")
    run("--repository", "", "--source", "", "--branch", "main")
    assert publish.read(clone)[0] == Publication()


def test_from_a_shell_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["publish", "--repository", "teacher/course"]) == 1
    assert "Run this in a clone" in capsys.readouterr().err
