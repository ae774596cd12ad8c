"""The clinic of notebook 07: each fault has one number that tells it from the other four."""

import copy

import matplotlib.pyplot as plt
import pytest
import torch

from seglab.exercises import clinic
from seglab.figures import patients
from seglab.machine.runtime import Runtime
from seglab.recipes import Recipe
from seglab.voc import rooms

RUNTIME = Runtime(torch.device("cpu"), budget="test")
ANSWERS = dict(clinic.ORDER)


@pytest.fixture(scope="module")
def cases():
    train, val = copy.copy(rooms("train")), copy.copy(rooms("val"))
    train.names, val.names = train.names[:40], val.names[:4]
    return clinic.admit(train, val, Recipe(images=40, longest_side=96, crop=(64, 96)), RUNTIME)


def test_every_number_is_a_sign_of_one_fault_only(cases):
    for fault, values in clinic.measured(cases).items():
        sick = [letter for letter, value in values.items() if clinic.FAULTS[fault].sick(value)]
        assert [clinic.ORDER[letter] for letter in sick] == [fault], values
    stars = [line.count("*") for line in clinic.table(cases).splitlines()[1:]]
    assert stars == [1] * 5


def test_answers_are_judged_one_by_one(cases, capsys):
    clinic.answer(cases, **ANSWERS)
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓"] * 5
    others = dict(zip(ANSWERS, [*[*ANSWERS.values()][1:], ANSWERS["A"]], strict=True))
    clinic.answer(cases, **others)
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✗"] * 5
    clinic.answer(cases, A="", B="no idea")
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["○"] * 5


def test_the_figure_has_three_rows_and_says_which_indices_occur(cases):
    figure = patients(cases, rooms("val").image(0), 96, RUNTIME)
    assert len(figure.axes) == 15
    of_masks = [axis.get_xlabel().split()[1:] for axis in figure.axes[5:10]]
    void = list(clinic.ORDER.values()).index("void")
    for place, indices in enumerate(of_masks):
        assert ("255" in indices) == (place != void) and ("21" in indices) == (place == void)
    plt.close(figure)
