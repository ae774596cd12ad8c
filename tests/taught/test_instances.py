"""Components against scipy, average precision against COCO's own code, a detector that learns."""

import contextlib
import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import add_pair, save_palette_png, voc_folder
from hypothesis import given
from hypothesis import strategies as st

from seglab import training
from seglab.backbones import feature_pyramid
from seglab.instances import (
    RECALLS,
    THRESHOLDS,
    AveragePrecision,
    Instances,
    average_precision,
    component_instances,
    components,
    mask_iou,
    match,
    true_instances,
)
from seglab.machine.faults import TrainingError
from seglab.machine.runtime import default_runtime
from seglab.mask_rcnn import ObjectsOf, detect, fit_detector, mask_rcnn
from seglab.palettes import VOID
from seglab.recipes import Recipe
from seglab.transforms import training_transforms
from seglab.voc import VOCSegmentation, rooms

NONE = torch.zeros(0, dtype=torch.int64)


def boxes_as_masks(*boxes, size=(10, 20)) -> torch.Tensor:
    """`bool [N, H, W]` of rectangles (top, left, bottom, right)."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.bool)
    for mask, (top, left, bottom, right) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return masks


# ---------------------------------------------------------------- the objects of a picture


def test_the_true_objects_of_rooms_are_apart_and_fill_the_mask():
    data = rooms("val")
    for index in range(0, len(data), 40):
        mask, objects = data.mask(index), data.objects(index)
        truth = true_instances(objects, mask)
        assert len(truth) == len(set(objects.unique().tolist()) - {0, VOID}) > 0
        assert torch.equal(truth.masks.sum(0), ((mask > 0) & (mask < VOID)).long())
        for of_one, label in zip(truth.masks, truth.labels, strict=True):
            assert mask[of_one].unique().tolist() == [label]
        assert truth.scores.tolist() == [1] * len(truth)


def test_a_picture_without_objects():
    nothing = torch.tensor([[0, VOID]], dtype=torch.uint8)
    assert len(true_instances(nothing, nothing)) == 0
    assert len(component_instances(nothing)) == 0
    assert len(component_instances(nothing, torch.rand(3, 1, 2))) == 0


def test_objects_that_do_not_fit_the_mask_are_named():
    objects = torch.tensor([[1, 1, 2]], dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"object 1 has pixels of classes \[5, 8\]"):
        true_instances(objects, torch.tensor([[5, 8, 8]], dtype=torch.uint8))
    with pytest.raises(ValueError, match="differ"):
        true_instances(objects, torch.zeros(3, 1, dtype=torch.uint8))


@pytest.mark.parametrize(
    "masks, labels, scores, words",
    [
        (torch.zeros(1, 2, 2), [1], None, "Probabilities"),
        (torch.zeros(2, 2, dtype=torch.bool), [1, 1], None, "bool"),
        (torch.zeros(2, 1, 2, 2, dtype=torch.bool), [1, 1], None, "second dimension"),
        (torch.zeros(2, 2, 2, dtype=torch.bool), [1], None, "2 masks, 1 labels"),
        (torch.zeros(1, 2, 2, dtype=torch.bool), [1], [0.5, 0.5], "2 scores"),
        (torch.zeros(1, 2, 2, dtype=torch.bool), [0], None, "0 is background"),
        (torch.zeros(1, 2, 2, dtype=torch.bool), [VOID], None, "255 void"),
        (torch.zeros(1, 2, 2, dtype=torch.bool), [1], [math.nan], "NaN"),
    ],
)
def test_wrong_instances(masks, labels, scores, words):
    with pytest.raises(ValueError, match=words):
        Instances(masks, torch.tensor(labels), None if scores is None else torch.tensor(scores))


# ---------------------------------------------------------------- components


@st.composite
def regions(draw):
    """Noise of all densities and sizes; the densities near a half have long, winding components."""
    size = draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return torch.from_numpy(rng.random(size) < draw(st.sampled_from([0, 0.2, 0.4, 0.6, 0.9, 1])))


@given(regions(), st.sampled_from([4, 8]))
def test_components_are_those_of_scipy(region, neighbours):
    ndimage = pytest.importorskip("scipy.ndimage")
    numbers = components(region, neighbours)
    square = np.ones((3, 3)) if neighbours == 8 else None  # scipy's own is a cross
    theirs, count = ndimage.label(region.numpy(), square)
    assert numbers.dtype == torch.int64 and numbers.max() == count
    assert torch.equal(numbers > 0, region)
    pairs = {*zip(numbers.flatten().tolist(), theirs.flatten().tolist(), strict=True)}
    assert len(pairs) == len(numbers.unique()) == len(np.unique(theirs))  # one to one
    firsts = [(numbers == n).flatten().nonzero()[0].item() for n in range(1, count + 1)]
    assert firsts == sorted(firsts)


def test_a_spiral_is_one_component():
    side = 41
    region = torch.zeros(side, side, dtype=torch.bool)
    row, column, step, length = 0, 0, (0, 1), side - 1
    region[0, 0] = True
    for turn in range(side - 2):
        for _ in range(length):
            row, column = row + step[0], column + step[1]
            region[row, column] = True
        step = (step[1], -step[0])
        length -= 2 if turn >= 2 and turn % 2 == 0 else 0
    assert region.sum() > 600 and not region.all()
    assert components(region, 4).unique().tolist() == [0, 1]
    region[0, side // 2] = False
    assert components(region, 4).unique().tolist() == [0, 1, 2]


def test_a_corner_joins_eight_neighbours_only():
    region = torch.eye(3, dtype=torch.bool)
    assert torch.equal(components(region, 4), torch.diag(torch.tensor([1, 2, 3])))
    assert torch.equal(components(region, 8), torch.eye(3, dtype=torch.int64))


def test_wrong_regions():
    with pytest.raises(ValueError, match="bool"):
        components(torch.ones(3, 3))
    with pytest.raises(ValueError, match="bool"):
        components(torch.ones(1, 3, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="4 or 8"):
        components(torch.ones(3, 3, dtype=torch.bool), 6)


@given(st.integers(0, 10_000), st.sampled_from([1, 3, 9]), st.sampled_from([4, 8]))
def test_component_instances_against_scipy_and_numpy(seed, smallest, neighbours):
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(seed)
    mask = rng.choice([0, 1, 2, VOID], (9, 13), p=[0.4, 0.3, 0.2, 0.1]).astype(np.uint8)
    probabilities = rng.random((3, 9, 13)).astype(np.float32)
    found = component_instances(
        torch.from_numpy(mask), torch.from_numpy(probabilities), smallest, neighbours
    )
    square = np.ones((3, 3)) if neighbours == 8 else None
    expected = []
    for label in (1, 2):
        numbers, count = ndimage.label(mask == label, square)
        for number in range(1, count + 1):
            where = numbers == number
            if where.sum() >= smallest:
                expected.append((where.tobytes(), label, probabilities[label][where].mean()))
    ours = [
        (of_one.numpy().tobytes(), int(label), float(score))
        for of_one, label, score in zip(found.masks, found.labels, found.scores, strict=True)
    ]
    assert [o[:2] for o in ours] == [e[:2] for e in expected]
    np.testing.assert_allclose([o[2] for o in ours], [e[2] for e in expected], rtol=1e-5)


def test_components_without_probabilities_are_ranked_by_size():
    found = component_instances(torch.tensor([[1, 0, 1, 1, VOID, 2]], dtype=torch.uint8))
    assert (found.scores.tolist(), found.labels.tolist()) == ([1, 2, 1], [1, 1, 2])
    with pytest.raises(ValueError, match=r"\[C, H, W\]"):
        component_instances(torch.zeros(4, 6, dtype=torch.uint8), torch.zeros(3, 6, 4))


# ---------------------------------------------------------------- average precision


CASES = given(st.integers(0, 100_000), st.sampled_from([2, 10, 10_000]), st.sampled_from([0, 0.1]))


def scored_pictures(seed: int, values: int, void_share: float) -> list[tuple]:
    """One to four pictures: true objects apart, predictions moved, doubled, invented; some void.

    Predictions with an IoU of exactly 0.5 with two objects are left out: COCO's code gives them
    the later object, ours the first.

    Args:
        values: how many different scores there are; with few of them, many are equal.
    """
    rng = np.random.default_rng(seed)
    size, pictures = (24, 30), []
    for _ in range(rng.integers(1, 5)):
        objects = np.zeros(size, dtype=np.int64)
        for number in range(1, rng.integers(1, 7)):
            y, x = rng.integers(0, 20), rng.integers(0, 25)
            objects[y : y + rng.integers(2, 12), x : x + rng.integers(2, 12)] = number
        void = rng.random(size) < void_share
        void[:, :6] |= void_share > 0
        numbers = [n for n in np.unique(objects[~void]) if n > 0]
        true = [(objects == n) & ~void for n in numbers]
        true_labels = rng.integers(1, 4, len(true))
        masks, labels = [rng.random(size) < 0.1], [1]  # one that is always wrong
        for of_one, label in zip(true, true_labels, strict=True):
            for _ in range(rng.integers(0, 3)):
                moved = np.roll(of_one, rng.integers(-1, 2, 2), (0, 1))
                masks.append(moved | (rng.random(size) < 0.01))
                labels.append(label if rng.random() < 0.8 else rng.integers(1, 4))
        masks, labels = torch.tensor(np.array(masks)), torch.tensor(np.array(labels))
        scores = torch.tensor(rng.integers(0, values, len(masks)) / values)
        true = torch.tensor(np.array(true, dtype=bool).reshape(-1, *size))
        truth, void = Instances(true, torch.tensor(true_labels)), torch.tensor(void)
        clear = (mask_iou(masks & ~void, true) == 0.5).sum(1) < 2
        pictures.append((Instances(masks[clear], labels[clear], scores[clear]), truth, void))
    return pictures


def by_coco(pictures, classes):
    """COCO's precision `[T, R, K]` at 101 recalls, for segmentations; void taken out beforehand."""
    coco_module = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    from pycocotools import mask as coder
    from pycocotools.cocoeval import COCOeval

    def encoded(of_one):
        return coder.encode(np.asfortranarray(of_one.numpy().astype(np.uint8)))

    annotations, results = [], []
    for image, (prediction, truth, void) in enumerate(pictures, start=1):
        for of_one, label in zip(truth.masks, truth.labels.tolist(), strict=True):
            code = encoded(of_one)
            about = {"image_id": image, "category_id": label, "segmentation": code}
            area = {"area": int(of_one.sum()), "bbox": coder.toBbox(code).tolist()}
            annotations.append({"id": len(annotations) + 1, "iscrowd": 0, **about, **area})
        kept = (prediction.masks & ~void).flatten(1).any(1)
        for place in kept.nonzero().flatten().tolist():
            about = {"image_id": image, "category_id": int(prediction.labels[place])}
            code = encoded(prediction.masks[place] & ~void)
            results.append(
                {**about, "segmentation": code, "score": prediction.scores[place].item()}
            )
    coco = coco_module.COCO()
    coco.dataset = {
        "images": [{"id": i + 1, "height": 24, "width": 30} for i in range(len(pictures))],
        "categories": [{"id": c} for c in range(1, classes)],
        "annotations": annotations,
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.eval["precision"][:, :, :, 0, -1], evaluation.stats


@CASES
def test_average_precision_is_that_of_coco(seed, values, void_share):
    pictures, scores = scored_pictures(seed, values, void_share), AveragePrecision(4)
    for prediction, truth, void in pictures:
        scores.update(prediction, truth, void)
    precision, stats = by_coco(pictures, 4)
    expected = np.where((precision < 0).any(1), np.nan, precision.mean(1))  # -1: no objects
    table = scores.table
    assert table.shape == (10, 4) and table[:, 0].isnan().all()
    np.testing.assert_allclose(table[:, 1:].numpy(), expected, atol=1e-9)
    if any(scores.objects):
        np.testing.assert_allclose([scores.mean, scores.mean_at_first], stats[:2], atol=1e-9)
    else:
        assert math.isnan(scores.mean) and stats[0] == -1
    np.testing.assert_allclose(scores.table.mean(0)[1:].numpy(), expected.mean(0), atol=1e-9)


def test_the_pictures_get_all_kinds_of_marks():
    """The comparison with COCO's code is of more than zeros and ones."""
    marks = []
    for seed in range(40):
        scores = AveragePrecision(4)
        for picture in scored_pictures(seed, 10, 0.1):
            scores.update(*picture)
        marks.append(scores.mean)
    assert sum(0.05 < mark < 0.95 for mark in marks) > 20


def test_the_thresholds_and_recalls_are_cocos():
    parameters = pytest.importorskip("pycocotools.cocoeval").Params(iouType="segm")
    assert parameters.iouThrs.tolist() == list(THRESHOLDS)
    assert parameters.recThrs.tolist() == list(RECALLS)


@CASES
def test_masks_overlap_as_coco_says(seed, values, void_share):
    coder = pytest.importorskip("pycocotools.mask")
    prediction, truth, _ = scored_pictures(seed, values, void_share)[0]
    codes = [
        [coder.encode(np.asfortranarray(m.numpy().astype(np.uint8))) for m in of.masks]
        for of in (prediction, truth)
    ]
    ours = mask_iou(prediction.masks, truth.masks)
    assert ours.shape == (len(prediction), len(truth)) and ours.dtype == torch.float64
    if len(truth):
        theirs = coder.iou(*codes, [0] * len(truth))
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12)


def test_empty_masks_overlap_with_nothing():
    empty = torch.zeros(1, 4, 4, dtype=torch.bool)
    assert mask_iou(empty, empty).tolist() == [[0]]
    with pytest.raises(ValueError, match="pixels"):
        mask_iou(empty, torch.zeros(1, 4, 5, dtype=torch.bool))


def test_average_precision_by_hand():
    # right, wrong, right: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1. From 0.00 to 0.50 the best
    # is 1, at the other fifty points 2/3.
    right = torch.tensor([True, False, True])
    assert average_precision(right, 2) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert average_precision(right, 4) == pytest.approx((26 + 25 * 2 / 3) / 101)  # half never found
    assert average_precision(torch.zeros(0, dtype=torch.bool), 3) == 0
    assert math.isnan(average_precision(right, 0))


def test_the_surest_prediction_takes_the_object():
    ious = torch.tensor([[0.6, 0.0], [0.9, 0.7], [0.95, 0.0]], dtype=torch.float64)
    assert match(ious, (0.5, 0.8)).tolist() == [[True, True, False], [False, True, False]]
    assert match(torch.zeros(2, 0), (0.5,)).tolist() == [[False, False]]
    assert match(torch.zeros(0, 2), (0.5,)).shape == (1, 0)


@CASES
def test_properties_of_average_precision(seed, values, void_share):
    pictures = scored_pictures(seed, values, void_share)

    def score(change):
        scores = AveragePrecision(4)
        for prediction, truth, void in pictures:
            scores.update(*change(prediction, truth, void))
        return scores.table.nan_to_num(-1)

    usual = score(lambda *all_three: all_three)
    assert ((usual == -1) | (usual >= 0) & (usual <= 1)).all()
    assert (usual.diff(dim=0) <= 1e-12).all()  # stricter thresholds never give more
    # Only the order of the scores matters, and nothing that lies in void.
    assert torch.equal(usual, score(lambda p, t, v: (replace(p, scores=p.scores * 8 - 3), t, v)))
    assert torch.equal(usual, score(lambda p, t, v: (replace(p, masks=p.masks | v), t, v)))
    assert torch.equal(usual, score(lambda p, t, v: (replace(p, masks=p.masks & ~v), t, v)))
    right = score(lambda p, t, v: (t, t, v))
    assert ((right == -1) | (right == 1)).all()
    twice = score(lambda p, t, v: (joined(t, replace(t, scores=t.scores - 0.5)), t, v))
    assert torch.equal(twice, right)  # surer than all that is wrong, every object is found


def joined(a: Instances, b: Instances) -> Instances:
    pairs = [(a.masks, b.masks), (a.labels, b.labels), (a.scores, b.scores)]
    return Instances(*(torch.cat(pair) for pair in pairs))


def test_an_object_found_twice_costs_when_the_second_is_surer_than_another_object():
    truth = Instances(boxes_as_masks((0, 0, 4, 4), (0, 10, 4, 14)), torch.tensor([1, 1]))
    order = [0, 0, 1]
    guess = Instances(truth.masks[order], truth.labels[order], torch.tensor([0.9, 0.8, 0.7]))
    scores = AveragePrecision(2)
    scores.update(guess, truth)
    assert scores.ranked(1).tolist() == [True, False, True]
    assert scores.mean == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_what_lies_in_void_altogether_is_neither_right_nor_wrong():
    truth = Instances(boxes_as_masks((0, 0, 4, 4)), torch.tensor([1]))
    guess = Instances(boxes_as_masks((6, 6, 9, 9), (0, 0, 4, 4)), torch.tensor([1, 1]))
    guess.scores = torch.tensor([0.9, 0.8])
    void = boxes_as_masks((6, 6, 10, 10))[0]
    with_void, without = AveragePrecision(2), AveragePrecision(2)
    with_void.update(guess, truth, void)
    without.update(guess, truth)
    assert (with_void.mean, without.mean) == (1, pytest.approx(0.5))


def test_a_class_without_objects_has_no_score_but_its_predictions_are_kept():
    scores = AveragePrecision(4)
    guess = Instances(boxes_as_masks((0, 0, 2, 2), (4, 4, 6, 6)), torch.tensor([1, 3]))
    truth = Instances(boxes_as_masks((0, 0, 2, 2)), torch.tensor([1]))
    scores.update(guess, truth)
    assert scores.table.mean(0).isnan().tolist() == [True, False, True, True]
    assert scores.mean == 1
    scores.update(Instances(guess.masks[:0], NONE), Instances(guess.masks[1:], torch.tensor([3])))
    assert scores.table[0, 3] == 0  # the one that was wrong came before the object that was missed


def test_wrong_updates():
    with pytest.raises(ValueError, match="2 to 255"):
        AveragePrecision(1)
    one = Instances(boxes_as_masks((0, 0, 2, 2)), torch.tensor([3]))
    with pytest.raises(ValueError, match="label 3 has no class"):
        AveragePrecision(3).update(one, one)
    other = Instances(boxes_as_masks((0, 0, 2, 2), size=(4, 4)), torch.tensor([3]))
    with pytest.raises(ValueError, match="pixels"):
        AveragePrecision(4).update(other, one)


# ---------------------------------------------------------------- Mask R-CNN


@pytest.fixture
def blocks(tmp_path):
    """Four pictures, 96 x 80: one red and one or two blue blocks, all objects of their own."""
    names = [f"blocks_{i}" for i in range(4)]
    root = voc_folder(tmp_path, {"train": names}, ["background", "red", "blue"])
    (root / "SegmentationObject").mkdir()
    rng = np.random.default_rng(0)
    for place, name in enumerate(names):
        objects = np.zeros((80, 96), dtype=np.uint8)
        objects[6:40, 4 + place : 36 + place] = 1
        objects[44:70, 50:80] = 2
        if place % 2:
            objects[10:34, 60:90] = 3
        mask = np.array([0, 1, 2, 2], dtype=np.uint8)[objects]
        paint = np.array([(120, 120, 120), (220, 40, 40), (40, 60, 220)])[mask]
        image = np.clip(paint + rng.integers(-15, 16, paint.shape), 0, 255).astype(np.uint8)
        objects[0], mask[0] = VOID, VOID
        objects[79, 95], mask[79, 95] = 9, 1  # a crumb
        add_pair(root, name, image, mask)
        save_palette_png(root / "SegmentationObject" / f"{name}.png", objects)
    return VOCSegmentation(root, "train")


SHORT = Recipe(images=8, batch_size=2, scale=(1, 1), crop=(80, 96), longest_side=96)


def test_targets_say_where_the_objects_are(blocks):
    image, target = ObjectsOf(blocks)[1]
    assert torch.equal(image, blocks.image(1)) and len(ObjectsOf(blocks)) == 4
    assert target["labels"].tolist() == [1, 2, 2]  # without the crumb
    assert target["boxes"].tolist() == [[5, 6, 37, 40], [50, 44, 80, 70], [60, 10, 90, 34]]
    objects = blocks.objects(1)
    assert torch.equal(target["masks"], torch.stack([objects == n for n in (1, 2, 3)]).byte())
    with_crumb = ObjectsOf(blocks, smallest=1)[1][1]
    assert with_crumb["boxes"][-1].tolist() == [95, 79, 96, 80]  # one pixel has a width, too
    assert with_crumb["labels"].tolist() == [1, 2, 2, 1]


def test_targets_move_with_the_image(blocks):
    data = ObjectsOf(blocks)
    data.transforms = training_transforms((80, 96), (1, 1))
    flipped = 0
    for seed in range(8):
        torch.manual_seed(seed)
        image, target = data[0]
        if torch.equal(image, blocks.image(0).flip(-1)):
            flipped += 1
            assert target["boxes"].tolist() == [[60, 6, 92, 40], [16, 44, 46, 70]]
        else:
            assert target["boxes"].tolist() == [[4, 6, 36, 40], [50, 44, 80, 70]]
    assert 0 < flipped < 8
    data.transforms = lambda image, objects: (
        image[:, :4],
        objects[:4],
    )  # nothing but void and wall
    _, target = data[0]
    assert target["boxes"].shape == (0, 4) and target["masks"].shape == (0, 4, 96)


def small_detector():
    """A narrow one that leaves the small pictures of these tests as small as they are."""
    torch.manual_seed(0)
    model = mask_rcnn(3, weights=None, channels=16)
    model.transform.min_size = (80,)
    return model


def test_it_is_torchvisions_with_another_body():
    model = mask_rcnn(21)
    assert sum(p.numel() for p in model.parameters()) < 5e6
    trained = feature_pyramid("efficientnet_lite0", "imagenet").state_dict()
    for name, value in model.backbone.pyramid.state_dict().items():
        assert torch.equal(value, trained[name]), name
    shapes = {k: tuple(v.shape[1:]) for k, v in model.backbone(torch.zeros(1, 3, 64, 96)).items()}
    assert list(shapes.values()) == [(64, 16, 24), (64, 8, 12), (64, 4, 6), (64, 2, 3), (64, 1, 2)]
    # The last score of each head has one place for each class.
    assert model.roi_heads.box_predictor.cls_score.out_features == 21
    assert model.roi_heads.mask_predictor.mask_fcn_logits.out_channels == 21


def test_a_picture_without_objects_can_be_trained_on():
    targets = {
        "boxes": torch.zeros(0, 4),
        "labels": NONE,
        "masks": torch.zeros(0, 80, 96, dtype=torch.uint8),
    }
    losses = small_detector().train()([torch.rand(3, 80, 96)] * 2, [targets] * 2)
    assert len(losses) == 5 and all(loss.isfinite() for loss in losses.values())


def test_training_lowers_the_loss_repeats_itself_and_leaves_the_seed_alone(blocks):
    recipe = replace(SHORT, images=24, learning_rate=3e-3)
    runs = []
    for _ in range(2):
        model = small_detector()
        torch.manual_seed(7)
        before = torch.get_rng_state()
        history = fit_detector(model, blocks, recipe, progress=False)
        assert torch.equal(torch.get_rng_state(), before)
        assert not model.training and all(p.grad is None for p in model.parameters())
        runs.append([row["loss"] for row in history.steps])
    assert runs[0] == runs[1] and len(runs[0]) == 12
    assert sum(runs[0][-3:]) < 0.7 * sum(runs[0][:3])
    assert [row["step"] for row in history.steps] == list(range(1, 13)) and history.seconds > 0
    rates = [row["learning_rate"] for row in history.steps]
    assert rates == [recipe.learning_rate * recipe.factor(step) for step in range(12)]


def test_the_budget_test_stops_after_ten_steps(blocks, monkeypatch):
    monkeypatch.setattr(training, "STEPS_OF_A_TEST", 2)
    runtime = default_runtime("test")
    history = fit_detector(small_detector(), blocks, SHORT, runtime, progress=False)
    assert len(history.steps) == 2


def test_a_rate_that_is_far_too_high_is_named(blocks):
    recipe = replace(SHORT, images=40, learning_rate=1e8, schedule="constant")
    with pytest.raises(TrainingError, match="a learning rate that is too high"):
        fit_detector(small_detector(), blocks, recipe, progress=False)


def test_detect_gives_instances_of_the_images_size():
    model = small_detector()
    model.roi_heads.score_thresh = 0.0
    found = detect(model, torch.randint(0, 256, (3, 50, 70), dtype=torch.uint8))
    assert len(found) > 0 and found.masks.shape[1:] == (50, 70)
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert 1 <= found.labels.min() and found.labels.max() <= 2
    with pytest.raises(TypeError, match="uint8"):
        detect(model, torch.rand(3, 50, 70))
