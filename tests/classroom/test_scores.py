"""`evaluate --csv`, `--panels` and the colours of its table."""

import csv
import sys

import numpy as np
import pytest
import torch
from helpers import TINY_CLASSES, make_tiny_voc
from PIL import Image
from sklearn.metrics import accuracy_score, jaccard_score

from seglab import networks
from seglab.classroom.scores import GREEN, RED, YELLOW, in_colour
from seglab.classroom.shell import main
from seglab.palettes import VOC_PALETTE, colorize
from seglab.prediction import predict
from seglab.voc import VOCSegmentation


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    model = networks.build("unet_plain", 3)
    trained = networks.Trained(model, TINY_CLASSES, VOC_PALETTE, None)
    return networks.save(tmp_path / "net.pt", trained)


def test_evaluate_writes_a_row_and_a_panel_for_each_picture(checkpoint, tmp_path, capsys):
    root = make_tiny_voc(tmp_path / "tiny")
    words = ["evaluate", "--data", str(root), "--checkpoint", str(checkpoint)]
    table, panels = tmp_path / "out" / "scores.csv", tmp_path / "panels"
    assert main([*words, "--csv", str(table), "--panels", str(panels)]) == 0
    shown = capsys.readouterr().out
    assert "seconds" in shown and "\x1b" not in shown
    head, *rows = csv.reader(table.open(encoding="utf-8"))
    assert head == ["name", "pixel accuracy", "mean IoU", *TINY_CLASSES, "labelled pixels"]
    data, model = VOCSegmentation(root, "val"), networks.load(checkpoint).model
    assert [row[0] for row in rows] == data.names
    for index, row in enumerate(rows):
        image, mask = data[index]
        guess = predict(model, image)
        labelled = np.asarray(mask) != 255
        truth, found = np.asarray(mask)[labelled], guess.numpy()[labelled]
        assert int(row[-1]) == labelled.sum()
        assert float(row[1]) == pytest.approx(100 * accuracy_score(truth, found), abs=0.006)
        there = sorted({*truth.tolist(), *found.tolist()})
        scores = jaccard_score(truth, found, labels=there, average=None, zero_division=0)
        assert float(row[2]) == pytest.approx(100 * scores.mean(), abs=0.006)
        known = dict(zip(there, scores, strict=True))
        for label, cell in enumerate(row[3:6]):
            assert (cell == "") == (label not in known)
            assert not cell or float(cell) == pytest.approx(100 * known[label], abs=0.006)
        panel = np.asarray(Image.open(panels / f"{row[0]}.png"))
        parts = [np.asarray(image).transpose(1, 2, 0), colorize(mask, data.palette)]
        np.testing.assert_array_equal(panel, np.hstack([*parts, colorize(guess, data.palette)]))


TABLE = "class  pixels %  IoU %  Dice %\ncat        12.0   49.9    90.0\ndog        80.0   74.9"
TABLE += "    10.0\nmean Dice                  50.0\nmean IoU          75.0"


def test_a_terminal_shows_the_iou_in_colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = in_colour(TABLE).splitlines()
    assert lines[1] == f"cat        12.0   {RED}49.9\x1b[0m    90.0"
    assert f"{YELLOW}74.9\x1b[0m" in lines[2] and f"{GREEN}75.0\x1b[0m" in lines[4]
    assert lines[0] == TABLE.splitlines()[0] and lines[3] == TABLE.splitlines()[3]


def test_no_colours_in_a_pipe_or_where_they_are_not_wanted(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert in_colour(TABLE) == TABLE
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert in_colour(TABLE) == TABLE
