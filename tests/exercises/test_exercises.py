"""Exercises: stubs are open, solutions pass, wrong answers fail with their own hint."""

import dataclasses
import importlib
import json
import re
import time

import exercise_cells
import nbformat
import pytest
import torch
import torch.nn.functional as F
from helpers import REPOSITORY

from seglab.classroom import marking, publish
from seglab.exercises import check, checking, progress, records
from seglab.exercises.checking import EXERCISES, NOT_RIGHT, NOT_WRITTEN, examine

NOTEBOOKS = {path.name[:2]: path for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))}
PLANTED = [importlib.import_module(f"wrong_answers.notebook_{number}") for number in NOTEBOOKS]
WRONG = {name: answers for planted in PLANTED for name, answers in planted.WRONG.items()}
# Right answers in a style of their own, which a check could refuse by mistake.
RIGHT = {
    name: answers for planted in PLANTED for name, answers in getattr(planted, "RIGHT", {}).items()
}


def notebook(number: str):
    return nbformat.read(NOTEBOOKS[number], as_version=4)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """So that no pass is recorded among a learner's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGLAB_RUNS", raising=False)


# ---------------------------------------------------------------- the notebooks


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_heading_and_check_agree(number):
    cells = exercise_cells.exercises_in(notebook(number))
    least, most = (3, 5) if number <= "08" else (1, 2)
    assert least <= len(cells) <= most
    assert [c.number for c in cells] == list(range(1, len(cells) + 1))
    assert {c.stars for c in cells} <= {1, 2, 3}  # they stand where their idea is, easy or not
    told = [(c.name, c.stars, c.minutes) for c in cells]
    registered = [e for e in EXERCISES.values() if e.notebook == number]
    assert told == [(e.name, e.stars, e.minutes) for e in registered]


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_every_stub_is_open_and_every_solution_passes(number):
    assert exercise_cells.faults(notebook(number)) == []


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_stored_output_says_not_written_yet(number):
    for cells in exercise_cells.exercises_in(notebook(number)):
        assert cells.output == f"○ {cells.name}: {NOT_WRITTEN}\n"


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_a_solution_that_is_broken_on_purpose_is_found(number):
    whole = notebook(number)
    for place, cell in enumerate(whole.cells):
        if exercise_cells.TAG not in cell.metadata.get("tags", []):
            continue
        name = exercise_cells.CALL.search(cell.source)[1]
        solution = whole.cells[place + 1]
        kept = solution.source
        for broken in (
            re.sub(r"^( +)return .*$", r"\1raise RuntimeError('broken')", kept, flags=re.M),
            kept.replace("```python\n", "```python\nimport does_not_exist\n"),
        ):
            solution.source = broken
            found = exercise_cells.faults(whole)
            assert found and all(f.startswith(f"{name}: ") for f in found)
        solution.source = kept


def test_the_readme_counts_them():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert f"{len(EXERCISES)} in all" in readme


# ---------------------------------------------------------------- wrong answers


def test_each_exercise_has_three_wrong_answers_or_more():
    assert WRONG.keys() == EXERCISES.keys()
    for name, answers in WRONG.items():
        assert len(answers) >= 3, name


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_fails_with_its_own_hint(name):
    messages = []
    for answer, symptom in WRONG[name]:
        outcome = examine(name, answer)
        assert outcome.status == NOT_RIGHT, answer.__name__
        assert symptom in outcome.message, (answer.__name__, outcome.message)
        messages.append(outcome.message)
    for place, (_, symptom) in enumerate(WRONG[name]):
        others = messages[:place] + messages[place + 1 :]
        assert not any(symptom in message for message in others), symptom


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes_in_any_style(name):
    for answer in RIGHT[name]:
        assert examine(name, answer) == checking.Outcome(checking.PASSES), answer.__name__


@pytest.mark.parametrize("name", EXERCISES)
def test_anything_else_that_goes_wrong_is_one_message(name, capsys):
    def nothing(*inputs, **named):
        return None

    def broken(*inputs, **named):
        raise ZeroDivisionError("on purpose")

    def strange(*inputs, **named):
        return "a text"

    for function, words in (
        (nothing, ""),
        (broken, "ZeroDivisionError: on purpose"),
        (strange, ""),
    ):
        outcome = examine(name, function)
        assert outcome.status == NOT_RIGHT and outcome.message and words in outcome.message
    getattr(check, name)("no function")
    assert "wants your function itself" in capsys.readouterr().out


# ---------------------------------------------------------------- the machinery, on a small example


@pytest.fixture
def doubled(monkeypatch):
    """An exercise of its own: double a tensor."""
    monkeypatch.setattr(checking, "EXERCISES", {})

    @checking.exercise(notebook="00", stars=1, minutes=1, seconds=1)
    def doubled(function):
        x = torch.randn(3)
        found = checking.call(function, x)
        checking.expect_tensor(found, (3,), torch.float32, "three numbers")
        checking.expect_equal(found, 2 * x, "three numbers")

    return "doubled"


def test_the_right_answer_passes_and_the_generator_is_left_alone(doubled, capsys):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    check.doubled(lambda x: x + x)
    assert capsys.readouterr().out == "✓ doubled: passes. 1 of 1 exercises of notebook 00 done.\n"
    assert torch.rand(1) == expected


def test_not_implemented_by_torch_is_not_an_open_stub(doubled):
    def stub(x):
        raise NotImplementedError

    def unsupported(x):
        return torch.bincount(x.to(torch.complex64))

    assert examine(doubled, stub).status == NOT_WRITTEN
    assert examine(doubled, unsupported).status == NOT_RIGHT


def test_a_loop_without_end_is_stopped_even_if_it_swallows_exceptions(doubled):
    def endless(x):
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                pass

    start = time.monotonic()
    outcome = examine(doubled, endless)
    assert outcome.status == NOT_RIGHT and "did not finish within 1 seconds" in outcome.message
    assert time.monotonic() - start < 5


def test_an_error_names_the_line_and_the_input(doubled):
    def broken(x):
        return x @ torch.ones(2)

    message = examine(doubled, broken).message
    assert "RuntimeError" in message and "`return x @ torch.ones(2)`" in message
    assert "The inputs were: [" in message


def test_wrong_number_of_arguments(doubled):
    assert "takes 0 positional arguments" in examine(doubled, lambda: 1).message


@pytest.mark.parametrize(
    ("answer", "symptom"),
    [
        (lambda x: x.mul_(2), "changes its input in place"),
        (lambda x: [1.0], "Expected a tensor"),
        (lambda x: (2 * x)[None], "(1, 3)"),
        (lambda x: (2 * x).double(), "float64"),
        (lambda x: 3 * x, "right would be"),
        (lambda x: 2 * x + float("nan"), "right would be"),
        (lambda x: x.sum, "Expected a tensor"),
        (lambda x: print("a" * 3) or x, "It printed:\naaa"),
        (lambda x: [print(i) for i in range(9)] and x, "\n4\n…"),
    ],
)
def test_what_a_message_says(doubled, answer, symptom):
    outcome = examine(doubled, answer)
    assert outcome.status == NOT_RIGHT and symptom in outcome.message


def test_of_many_numbers_a_message_shows_the_first_wrong_one():
    right = torch.arange(20.0).view(4, 5)
    found = right.clone()
    found[2, 1] = 0
    found[3, 4] = float("nan")
    with pytest.raises(checking.Hint, match=r"2 of 20 .* at \[2, 1\]: 0; right would be 11\."):
        checking.expect_equal(found, right, "a map")
    with pytest.raises(checking.Hint, match=r"shape \(5, 4\).* shape \(4, 5\)"):
        checking.expect_equal(right.T, right, "a map")
    checking.expect_equal(right.tolist(), right, "a map")


def test_a_check_that_stumbles_says_so_and_does_not_raise(doubled):
    exercise = EXERCISES.get(doubled) or checking.EXERCISES[doubled]
    stumbling = dataclasses.replace(exercise, body=lambda function: [][1])
    checking.EXERCISES[doubled] = stumbling
    assert "cannot work with what came back" in examine(doubled, abs).message


@pytest.mark.parametrize(
    ("way", "refused"),
    [
        (lambda x, w: F.conv_transpose2d(x, w), True),
        (lambda x, w: torch.nn.ConvTranspose2d(2, 2, 3)(x), True),
        (lambda x, w: torch.nn.grad.conv2d_input((1, 2, 6, 6), w, x), False),
        (lambda x, w: F.conv2d(x, w, padding=1), False),
    ],
)
def test_what_a_task_forbids_gets_its_hint_by_whatever_way_it_is_called(way, refused):
    x, w = torch.rand(1, 2, 4, 4), torch.rand(2, 2, 3, 3)
    found = []
    try:
        with checking.without(lambda name, given: bool(given.get("transposed")), "not that one"):
            found.append(checking.call(way, x, w))
    except checking.Hint as hint:
        assert refused and str(hint) == "not that one"
    else:
        assert not refused
    assert len(found) == 1


def test_an_error_goes_before_a_forbidden_operation():
    def broken(x):
        return torch.exp(x)[9]

    with (
        pytest.raises(checking.LearnersError),
        checking.without(lambda name, given: name == "exp", "no exp"),
    ):
        checking.call(broken, torch.ones(2))


def test_an_unknown_name_gets_a_suggestion(doubled):
    with pytest.raises(AttributeError, match="did you mean doubled"):
        check.doubeld  # noqa: B018
    assert dir(check) == ["doubled"]


def test_two_exercises_of_one_name_are_refused(doubled):
    def again(function): ...

    again.__name__ = "doubled"
    with pytest.raises(ValueError, match="two exercises named doubled"):
        checking.exercise("00", 1, 1)(again)


# ---------------------------------------------------------------- progress


def test_progress_counts_passes_once_and_outlives_the_kernel(doubled, tmp_path):
    assert progress().note == "0 of 1 done"
    for _ in range(2):
        check.doubled(lambda x: 2 * x)
    check.doubled(lambda x: 3 * x)  # a later mistake takes nothing away
    file = tmp_path / "runs" / records.FILE
    (line,) = file.read_text().splitlines()
    assert json.loads(line).keys() == {"exercise", "notebook", "passed"}
    assert progress().note == "1 of 1 done"  # read from the file
    assert "✓\N{NO-BREAK SPACE}doubled" in str(progress())
    assert "1 of 1 done" in progress()._repr_html_()


def test_progress_survives_lines_that_cannot_be_read(doubled, tmp_path):
    file = tmp_path / "runs" / records.FILE
    file.parent.mkdir()
    file.write_bytes(b'{"exercise": "dou\n\xff\xfe\n[]\n{"exercise": "old_name", "passed": "x"}\n')
    assert progress().note == "0 of 1 done"
    check.doubled(lambda x: 2 * x)
    assert progress().note == "1 of 1 done"


def test_a_folder_that_cannot_be_written_is_told(doubled, tmp_path, capsys):
    (tmp_path / "runs").write_text("a file where a folder should be")
    check.doubled(lambda x: 2 * x)
    out = capsys.readouterr().out
    assert out.startswith("✓ doubled: passes.") and "could not be kept" in out


def test_the_progress_of_somebody_else(doubled, tmp_path):
    with pytest.raises(FileNotFoundError, match="appears with the first pass"):
        progress(tmp_path)
    check.doubled(lambda x: 2 * x)
    assert progress(tmp_path / "runs").note == "1 of 1 done"


# ---------------------------------------------------------------- marking


def handed_in(folder, source, name="doubled") -> str:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A notebook"]},
        {"cell_type": "code", "metadata": {"tags": [publish.TAG]}, "source": ["%pip install x"]},
        {"cell_type": "code", "metadata": {}, "source": ["import torch"]},
        {"cell_type": "code", "metadata": {}, "source": ["raise RuntimeError('not run')"]},
        {
            "cell_type": "code",
            "metadata": {"tags": ["exercise"]},
            "source": [source, f"\ncheck.{name}({name})"],
        },
    ]
    path = folder / "handed_in.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    return str(path)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def doubled(x):\n    return torch.add(x, x)", "  ✓ doubled\n"),
        ("def doubled(x):\n    raise NotImplementedError", "  ○ doubled\n"),
        ("def doubled(x):\n    return 3 * x", "  ✗ doubled: For three numbers your function"),
        ("def doubled(x)\n    return x", "  ✗ doubled: The cell itself ended with SyntaxError"),
        ("raise SystemExit(3)", "  ✗ doubled: The cell itself ended with SystemExit: 3"),
        ("while True: pass", "  ✗ doubled: The cell itself did not finish."),
        (
            "def doubeld(x):\n    return 2 * x",
            "  ✗ doubled: The cell defines nothing named doubled",
        ),
    ],
)
def test_a_notebook_that_was_handed_in_is_marked(doubled, tmp_path, capsys, source, line):
    path = handed_in(tmp_path, source)
    assert marking.report([path]) == 0
    right = int("✓" in line)
    assert capsys.readouterr().out.startswith(f"{path}: {right} of 1\n{line}")
    assert not (tmp_path / "runs").exists()  # a learner's pass is not the instructor's


def test_what_cannot_be_marked_is_told_and_the_rest_is_marked(doubled, tmp_path, capsys):
    good = handed_in(tmp_path, "def doubled(x):\n    return 2 * x")
    other, empty = tmp_path / "a.txt", tmp_path / "b.ipynb"
    other.write_text("no JSON")
    empty.write_text('{"cells": []}')
    assert marking.report([other, empty, "nowhere.ipynb", good]) == 1
    out = capsys.readouterr().out
    assert out.count("cannot be read as a notebook") == 2 and "no cell has the tag" in out
    assert "1 of 1" in out
