"""The confusion matrix and its scores against scikit-learn and plain formulas."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seglab.metrics import ConfusionMatrix

NAN = float("nan")


@st.composite
def cases(draw):
    """(classes, prediction, target) with few or many classes present, void, one class, none."""
    classes = draw(st.integers(1, 22))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = draw(st.sampled_from([(1, 1), (3, 4), (9, 7), (2, 5, 6)]))
    present = rng.choice(classes, draw(st.integers(1, classes)), replace=False)
    target = rng.choice(present, shape)
    prediction = np.where(rng.random(shape) < 0.6, target, rng.integers(0, classes, shape))
    target = np.where(rng.random(shape) < draw(st.sampled_from([0, 0.2, 1])), 255, target)
    return classes, prediction.astype(np.uint8), target.astype(np.uint8)


def counted(classes, prediction, target) -> ConfusionMatrix:
    matrix = ConfusionMatrix(classes)
    matrix.update(prediction, target)
    return matrix


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(cases())
def test_everything_equals_scikit_learn(case):
    classes, prediction, target = case
    matrix = counted(*case)
    labelled = target != 255
    true, predicted = target[labelled], prediction[labelled]
    assert matrix.void_pixels == (~labelled).sum()
    if true.size == 0:
        assert matrix.counts.sum() == 0 and math.isnan(matrix.mean_iou)
        return
    every, seen = np.arange(classes), np.union1d(true, predicted)
    expected = sk.confusion_matrix(true, predicted, labels=every)
    np.testing.assert_array_equal(matrix.counts.numpy(), expected)
    assert matrix.pixel_accuracy == pytest.approx(sk.accuracy_score(true, predicted))
    iou, dice = np.full(classes, NAN), np.full(classes, NAN)
    iou[seen] = sk.jaccard_score(true, predicted, labels=seen, average=None, zero_division=0)
    dice[seen] = sk.f1_score(true, predicted, labels=seen, average=None, zero_division=0)
    np.testing.assert_allclose(matrix.iou.numpy(), iou)
    np.testing.assert_allclose(matrix.dice.numpy(), dice)
    assert matrix.mean_iou == pytest.approx(iou[seen].mean())
    recall = np.full(classes, NAN)
    in_truth = np.unique(true)
    recall[in_truth] = sk.recall_score(
        true, predicted, labels=in_truth, average=None, zero_division=0
    )
    np.testing.assert_allclose(matrix.accuracy.numpy(), recall)
    with warnings.catch_warnings():  # predicted classes that are not in the truth: meant here
        warnings.simplefilter("ignore")
        balanced = sk.balanced_accuracy_score(true, predicted)
    assert matrix.mean_accuracy == pytest.approx(balanced)
    weighted = sum((true == c).mean() * iou[c] for c in in_truth)
    assert matrix.frequency_weighted_iou == pytest.approx(weighted)
    weighted_by_sklearn = sk.jaccard_score(true, predicted, average="weighted", zero_division=0)
    assert matrix.frequency_weighted_iou == pytest.approx(weighted_by_sklearn)


def test_a_case_by_hand():
    target = np.array([[0, 0, 1], [1, 2, 255]])
    prediction = np.array([[0, 1, 1], [1, 0, 2]])
    matrix = counted(4, prediction, target)
    assert matrix.counts.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix.void_pixels == 1
    np.testing.assert_allclose(matrix.iou.numpy(), [1 / 3, 2 / 3, 0, NAN])
    assert matrix.pixel_accuracy == pytest.approx(3 / 5)
    assert matrix.mean_iou == pytest.approx(1 / 3)
    np.testing.assert_allclose(matrix.dice.numpy(), [1 / 2, 4 / 5, 0, NAN])
    np.testing.assert_allclose(matrix.accuracy.numpy(), [1 / 2, 1, 0, NAN])
    assert matrix.mean_accuracy == pytest.approx(1 / 2)
    assert matrix.frequency_weighted_iou == pytest.approx(2 / 5 / 3 + 2 / 5 * 2 / 3)


def test_a_class_that_is_only_predicted_counts_in_mean_iou_but_has_no_accuracy():
    matrix = counted(3, np.array([[0, 2]]), np.array([[0, 0]]))
    np.testing.assert_allclose(matrix.iou.numpy(), [0.5, NAN, 0])
    np.testing.assert_allclose(matrix.accuracy.numpy(), [0.5, NAN, NAN])
    assert matrix.mean_iou == pytest.approx(0.25) and matrix.mean_accuracy == pytest.approx(0.5)


@pytest.mark.parametrize("fill", ["nothing", "only void", "no pixel"])
def test_without_labelled_pixels_there_is_no_score_and_no_crash(fill):
    matrix = ConfusionMatrix(5)
    if fill == "only void":
        matrix.update(np.zeros((3, 3), dtype=np.uint8), np.full((3, 3), 255, dtype=np.uint8))
        assert matrix.void_pixels == 9
    if fill == "no pixel":
        matrix.update(np.zeros((0, 3), dtype=np.uint8), np.zeros((0, 3), dtype=np.uint8))
    for score in ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou"):
        assert math.isnan(getattr(matrix, score))
    assert matrix.iou.isnan().all() and matrix.dice.isnan().all()
    assert "mean IoU" in matrix.table()


kinds = st.sampled_from(["uint8", "int16", "int32", "int64"])


@given(cases(), kinds, kinds, st.booleans(), st.booleans())
@settings(max_examples=40)
def test_kinds_of_numbers_do_not_matter(case, kind_1, kind_2, tensor_1, tensor_2):
    classes, prediction, target = case
    a, b = prediction.astype(kind_1), target.astype(kind_2)
    a = torch.from_numpy(a) if tensor_1 else a
    b = torch.from_numpy(b) if tensor_2 else b
    assert torch.equal(counted(classes, a, b).counts, counted(*case).counts)


@given(cases(), cases())
@settings(max_examples=30)
def test_updates_plus_and_batches_all_count_the_same(first, second):
    classes = max(first[0], second[0])
    one, two = (counted(classes, *case[1:]) for case in (first, second))
    together = ConfusionMatrix(classes)
    for case in (first, second):
        together.update(*case[1:])
    flat = counted(
        classes, *(np.concatenate([first[i].ravel(), second[i].ravel()])[None] for i in (1, 2))
    )
    total = one + two
    for other in (together, flat):
        assert torch.equal(total.counts, other.counts) and total.void_pixels == other.void_pixels
    assert torch.equal(one.counts, counted(classes, *first[1:]).counts)  # + changed nothing
    together.reset()
    assert together.counts.sum() == 0 and together.void_pixels == 0


@pytest.mark.parametrize("classes", [127, 128, 255])
def test_many_classes(classes):
    """Up to 127 classes are counted in 16 bits, more in 32."""
    rng = np.random.default_rng(0)
    target = rng.choice([*range(classes), 255], (40, 50)).astype(np.uint8)
    prediction = rng.integers(0, classes, (40, 50), dtype=np.uint8)
    where = target != 255
    expected = sk.confusion_matrix(target[where], prediction[where], labels=np.arange(classes))
    np.testing.assert_array_equal(counted(classes, prediction, target).counts.numpy(), expected)
    last = np.array([[classes - 1]])
    assert counted(classes, last, last).counts[-1, -1] == 1


def test_counts_do_not_overflow():
    matrix = ConfusionMatrix(2)
    ones = np.ones((400, 500), dtype=np.uint8)
    for _ in range(3):
        matrix.update(ones, ones)
    assert matrix.counts[1, 1] == 600_000
    matrix.counts[0, 0] = 2**40
    assert (matrix + matrix).counts[0, 0] == 2**41


def test_torchmetrics_agrees_where_it_means_the_same():
    torchmetrics = pytest.importorskip("torchmetrics.classification")
    rng = np.random.default_rng(0)
    theirs = torchmetrics.MulticlassConfusionMatrix(21, ignore_index=255)
    ours = ConfusionMatrix(21)
    for _ in range(3):
        prediction = torch.from_numpy(rng.integers(0, 21, (30, 40)))
        target = torch.from_numpy(rng.choice([*range(21), 255], (30, 40)))
        theirs.update(prediction, target)
        ours.update(prediction, target)
    assert torch.equal(theirs.compute(), ours.counts)


zeros = np.zeros((3, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (zeros, zeros[:2], "differ in shape"),
        (np.zeros((5, 3, 4)), zeros, "differ in shape"),
        (zeros.astype(np.float32), zeros, "prediction holds torch.float32"),
        (zeros, zeros.astype(np.float64), "target holds torch.float64"),
        (zeros.astype(bool), zeros, "prediction holds torch.bool"),
        (zeros + 5, zeros, "prediction holds indices from 5 to 5; expected 0 to 4"),
        (zeros + 255, zeros, "prediction holds indices"),
        (zeros.astype(np.int64) - 1, zeros, "prediction holds indices from -1"),
        (zeros, zeros + 5, "target index 5 has no class"),
        (zeros, zeros + 254, "target index 254 has no class"),
        (zeros, zeros.astype(np.int64) - 1, "target holds indices from -1"),
        (zeros, zeros.astype(np.int64) + 256, "target holds indices from 256"),
    ],
)
def test_what_cannot_be_counted_is_refused_and_nothing_is_counted(prediction, target, words):
    matrix = counted(5, zeros, zeros)
    with pytest.raises(ValueError, match=words):
        matrix.update(prediction, target)
    assert matrix.counts.sum() == 12 and matrix.void_pixels == 0


@pytest.mark.parametrize("classes", [0, -1, 256])
def test_impossible_numbers_of_classes(classes):
    with pytest.raises(ValueError, match="1 to 255"):
        ConfusionMatrix(classes)


def test_matrices_of_different_classes_do_not_add():
    with pytest.raises(ValueError, match="3 classes and 2"):
        ConfusionMatrix(3) + ConfusionMatrix(2)


def test_the_table_names_present_classes_and_leaves_absent_ones_out():
    text = counted(3, np.array([[0, 1, 1, 0]]), np.array([[0, 1, 0, 0]])).table(
        ("sky", "road", "unseen")
    )
    lines = {line.rsplit(maxsplit=1)[0].strip(): line.split()[-1] for line in text.splitlines()}
    assert lines["sky"] == "66.7" and lines["road"] == "50.0" and lines["mean IoU"] == "58.3"
    assert lines["pixel accuracy"] == "75.0" and "unseen" not in text
