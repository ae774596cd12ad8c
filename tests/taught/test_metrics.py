"""All scores against scikit-learn, torchmetrics, scipy and plain formulas."""

import html
import math
import re
import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seglab.metrics import (
    ConfusionMatrix,
    bootstrap_mean_iou,
    boundary_width,
    calibration_error,
    count_bands,
    count_confidences,
    count_pairs,
    inner_border,
    iou_of_counts,
)

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


def boundary_iou(prediction, target, classes, width=None) -> torch.Tensor:
    return iou_of_counts(count_bands(prediction, target, classes, width))[:classes]


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
    on_void = np.bincount(prediction[~labelled], minlength=classes)
    np.testing.assert_array_equal(matrix.void_counts.numpy(), on_void)
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
    assert matrix.mean_dice == pytest.approx(dice[seen].mean())
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
    for score in (
        "pixel_accuracy",
        "mean_accuracy",
        "mean_iou",
        "mean_dice",
        "frequency_weighted_iou",
    ):
        assert math.isnan(getattr(matrix, score))
    assert matrix.iou.isnan().all() and matrix.dice.isnan().all()
    text = str(matrix.table())
    assert re.search(r"^mean IoU +-$", text, re.M) and text.endswith("0, 1,\n2, 3, 4")


signed = ["int16", "int32", "int64"]
unsigned = ["uint8", "uint16", "uint32", "uint64"]
kinds = st.sampled_from([*signed, *unsigned])


@given(cases(), kinds, kinds, st.booleans(), st.booleans())
@settings(max_examples=60)
def test_kinds_of_numbers_do_not_matter(case, kind_1, kind_2, tensor_1, tensor_2):
    classes, prediction, target = case
    a, b = prediction.astype(kind_1), target.astype(kind_2)
    a = torch.from_numpy(a) if tensor_1 else a
    b = torch.from_numpy(b) if tensor_2 else b
    expected = counted(*case)
    for counts, void_counts in (
        count_pairs(a, b, classes),
        count_pairs(a.swapaxes(0, -1), b.swapaxes(0, -1), classes),  # not contiguous
    ):
        assert torch.equal(counts, expected.counts)
        assert torch.equal(void_counts, expected.void_counts)
    np.testing.assert_array_equal(a, prediction)  # and counting changed neither
    np.testing.assert_array_equal(b, target)


@given(cases(), st.sampled_from(["<", ">"]), st.sampled_from(unsigned))
@settings(max_examples=30)
def test_order_in_memory_does_not_matter(case, endian, kind):
    """Flipped views have negative strides; 16-bit pictures are often stored big end first."""
    classes, prediction, target = case
    kind = np.dtype(kind).newbyteorder(endian)
    flipped = [np.flip(np.flip(values).astype(kind)) for values in (prediction, target)]
    assert min(flipped[0].strides) < 0
    assert torch.equal(count_pairs(*flipped, classes)[0], counted(*case).counts)
    if target.ndim == 2:
        ours = boundary_iou(*flipped, classes, width=1)
        expected = boundary_iou(prediction, target, classes, width=1)
        torch.testing.assert_close(ours, expected, rtol=0, atol=0, equal_nan=True)


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
        assert torch.equal(total.counts, other.counts)
        assert torch.equal(total.void_counts, other.void_counts)
    assert torch.equal(one.counts, counted(classes, *first[1:]).counts)  # + changed nothing
    together.reset()
    assert together.counts.sum() == 0 and together.void_pixels == 0


@pytest.mark.parametrize("classes", [127, 128, 180, 181, 254, 255])
def test_many_classes(classes):
    """From 128 classes on the pairs' numbers exceed 15 bits, from 255 on no index is free."""
    rng = np.random.default_rng(0)
    target = rng.choice([*range(classes), 255], (40, 501)).astype(np.uint8)
    prediction = rng.integers(0, classes, (40, 501), dtype=np.uint8)
    where = target != 255
    expected = sk.confusion_matrix(target[where], prediction[where], labels=np.arange(classes))
    np.testing.assert_array_equal(counted(classes, prediction, target).counts.numpy(), expected)
    last = np.array([[classes - 1]])
    assert counted(classes, last, last).counts[-1, -1] == 1


def test_processes_add_up_by_the_sum_of_two_tensors():
    """What an all-reduce does: sum both tensors in place, and every score is that of the whole."""
    rng = np.random.default_rng(0)
    target = rng.choice([0, 1, 2, 255], (4, 9, 8))
    prediction = rng.integers(0, 3, (4, 9, 8))
    first, second = (counted(3, prediction[part], target[part]) for part in ([0, 1], [2, 3]))
    first.counts.add_(second.counts)
    first.void_counts.add_(second.void_counts)
    whole = counted(3, prediction, target)
    assert str(first.table()) == str(whole.table()) and first.void_pixels == whole.void_pixels > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", [torch.uint8, torch.int64])
def test_a_gpu_counts_the_same(kind):
    rng = np.random.default_rng(0)
    target = torch.from_numpy(rng.choice([*range(21), 255], (3, 50, 70))).to(kind)
    prediction = torch.from_numpy(rng.integers(0, 21, (3, 50, 70))).to(kind)
    expected = counted(21, prediction, target)
    for place in ("cpu", "cuda"):  # a mask that a loader gives is on the CPU
        matrix = counted(21, prediction.cuda(), target.to(place))
        assert torch.equal(matrix.counts, expected.counts)
        assert matrix.void_pixels == expected.void_pixels
    torch.testing.assert_close(
        boundary_iou(prediction[0].cuda(), target[0], 21),
        boundary_iou(prediction[0], target[0], 21),
        equal_nan=True,
    )


def test_counts_do_not_overflow():
    matrix = ConfusionMatrix(2)
    ones = np.ones((400, 500), dtype=np.uint8)
    for _ in range(3):
        matrix.update(ones, ones)
    assert matrix.counts[1, 1] == 600_000
    matrix.counts[0, 0] = 2**40
    assert (matrix + matrix).counts[0, 0] == 2**41


def test_torchmetrics_agrees_where_it_means_the_same():
    theirs = pytest.importorskip("torchmetrics.classification")
    rng = np.random.default_rng(0)
    options = {"num_classes": 21, "ignore_index": 255}
    confusion = theirs.MulticlassConfusionMatrix(**options)
    macro = theirs.MulticlassJaccardIndex(**options)
    weighted = theirs.MulticlassJaccardIndex(**options, average="weighted")
    each = theirs.MulticlassJaccardIndex(**options, average="none")
    dice = theirs.MulticlassF1Score(**options, average="none")
    accuracy = theirs.MulticlassAccuracy(**options, average="none")
    pixels = theirs.MulticlassAccuracy(**options, average="micro")
    ours = ConfusionMatrix(21)
    for _ in range(3):
        prediction = torch.from_numpy(rng.integers(0, 19, (30, 40)))  # 19 and 20 are absent
        target = torch.from_numpy(rng.choice([*range(19), 255], (30, 40)))
        target = torch.where(torch.from_numpy(rng.random((30, 40)) < 0.5), prediction, target)
        for metric in (confusion, macro, weighted, each, dice, accuracy, pixels):
            metric.update(prediction, target)
        ours.update(prediction, target)
    assert torch.equal(confusion.compute(), ours.counts)
    assert macro.compute().item() == pytest.approx(ours.mean_iou, rel=1e-5)
    assert weighted.compute().item() == pytest.approx(ours.frequency_weighted_iou, rel=1e-5)
    assert pixels.compute().item() == pytest.approx(ours.pixel_accuracy, rel=1e-5)
    for metric, score in ((each, ours.iou), (dice, ours.dice), (accuracy, ours.accuracy)):
        torch.testing.assert_close(metric.compute()[:19].double(), score[:19], rtol=1e-5, atol=0)
        assert (metric.compute()[19:] == 0).all() and score[19:].isnan().all()  # absent: 0, NaN


def torchvisions_iou(counts: torch.Tensor) -> torch.Tensor:
    """The formula of references/segmentation/utils.py in torchvision's repository."""
    h = counts.float()
    return h.diag() / (h.sum(1) + h.sum(0) - h.diag())


def three_images_with_11_of_21_classes():
    """(predictions, targets) `int64 [3, 40, 60]`, without void; no class is in all images."""
    rng = np.random.default_rng(0)
    targets = np.stack([rng.integers(low, low + 5, (40, 60)) for low in (0, 3, 6)])
    other = np.stack([rng.integers(low, low + 5, (40, 60)) for low in (0, 3, 6)])
    return np.where(rng.random(targets.shape) < 0.8, targets, other), targets


def test_mean_iou_is_not_one_number():
    """One prediction, ten of 21 classes absent: what libraries call its mean IoU."""
    jaccard_of = pytest.importorskip("torchmetrics.classification").MulticlassJaccardIndex
    prediction, target = three_images_with_11_of_21_classes()
    matrix = counted(21, prediction, target)
    ours = matrix.mean_iou
    flat = {"y_true": target.ravel(), "y_pred": prediction.ravel(), "average": "macro"}
    every = np.arange(21)
    # absent classes left out: seglab, torchmetrics, scikit-learn unless told all labels
    assert ours == pytest.approx(sk.jaccard_score(**flat))
    tensors = torch.from_numpy(prediction), torch.from_numpy(target)
    assert jaccard_of(21)(*tensors).item() == pytest.approx(ours, rel=1e-5)
    # absent classes are 0, or 1
    zero = sk.jaccard_score(**flat, labels=every, zero_division=0)
    one = sk.jaccard_score(**flat, labels=every, zero_division=1)
    assert zero == pytest.approx(ours * 11 / 21)
    assert one == pytest.approx((ours * 11 + 10) / 21)
    # torchvision's training reference takes the mean of all, so one absent class makes it NaN
    theirs = torchvisions_iou(matrix.counts)
    assert theirs.mean().isnan() and theirs.nanmean().item() == pytest.approx(ours, rel=1e-5)
    # all classes' pixels in one ratio
    micro = jaccard_of(21, average="micro")(*tensors).item()
    assert micro == pytest.approx(matrix.counts.trace() / (2 * target.size - matrix.counts.trace()))
    assert len({round(score, 3) for score in (ours, zero, one, micro)}) == 4


def test_mean_iou_of_images_is_not_that_of_the_data_set():
    segmentation = pytest.importorskip("torchmetrics.functional.segmentation")
    if not hasattr(segmentation, "mean_iou"):
        pytest.skip("this version of torchmetrics has no mean IoU of its own")
    prediction, target = (torch.from_numpy(x) for x in three_images_with_11_of_21_classes())
    prediction[2] = 6  # one image goes wrong
    counts = torch.stack(
        [count_pairs(*pair, 21)[0] for pair in zip(prediction, target, strict=True)]
    )
    ours = iou_of_counts(counts)
    theirs = segmentation.mean_iou(prediction, target, num_classes=21, input_format="index")
    torch.testing.assert_close(theirs.double(), ours.nanmean(1), rtol=1e-5, atol=0)
    of_all = iou_of_counts(counts.sum(0)).nanmean().item()
    assert of_all == pytest.approx(counted(21, prediction, target).mean_iou)
    assert abs(theirs.mean().item() - of_all) > 0.01


@given(st.lists(cases(), min_size=1, max_size=4))
@settings(max_examples=25)
def test_iou_of_many_matrices_at_once(images):
    classes = max(case[0] for case in images)
    matrices = [counted(classes, *case[1:]) for case in images]
    stacked = iou_of_counts(torch.stack([matrix.counts for matrix in matrices]))
    assert stacked.shape == (len(images), classes) and stacked.dtype == torch.float64
    for scores, matrix in zip(stacked, matrices, strict=True):
        torch.testing.assert_close(scores, matrix.iou, equal_nan=True, rtol=0, atol=0)


zeros = np.zeros((3, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (zeros, zeros[:2], "differ in shape"),
        (np.zeros((5, 3, 4), dtype=int), zeros, "differ in shape"),
        (np.zeros((5, 3, 4)), zeros, "prediction holds float64.* argmax"),
        (torch.zeros(3, 4), zeros, "prediction holds float32"),
        (zeros, np.flip(zeros.astype(np.float64)), "target holds float64"),
        (zeros.astype(bool), zeros, "prediction holds bool"),
        (zeros.astype(np.uint64) + 2**63, zeros, "prediction holds -9223372036854"),
        (
            zeros.astype(np.int64) - 2**40,
            zeros,
            "prediction holds -1099511627776; expected classes from 0 to 4",
        ),
        (zeros.astype(np.int64) + 2**32, zeros, "prediction holds 4294967296"),
        (zeros, zeros.astype(np.int64) + 2**32, "target holds 4294967296"),
        (zeros + 5, zeros, "prediction holds 5; expected classes from 0 to 4"),
        (zeros + 255, zeros, "prediction holds 255.* Only the target may be void"),
        (zeros.astype(np.int64) - 1, zeros, "prediction holds -1;"),
        (zeros, zeros + 5, "target holds 5; expected classes from 0 to 4"),
        (zeros, zeros + 254, "target holds 254; expected"),
        (zeros, zeros.astype(np.int64) - 1, "target holds -1;"),
        (zeros, zeros.astype(np.int64) + 256, "target holds 256;"),
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


TABLE = """\
class                   pixels %  IoU %  Dice %  accuracy %
sky                         80.0   62.5    76.9        62.5
road                        20.0   66.7    80.0       100.0
bird & bee                   0.0    0.0     0.0           -
-----------------------------------------------------------
mean IoU                           43.1
mean Dice                                  52.3
mean accuracy                                          81.2
frequency-weighted IoU             63.3
pixel accuracy                                         70.0
neither labelled nor predicted, so not in the means:
unseen, <lost>"""


@pytest.fixture
def small_matrix():
    matrix = ConfusionMatrix(5)
    matrix.counts[:2, :3] = torch.tensor([[5, 1, 2], [0, 2, 0]])
    return matrix


SMALL_NAMES = ("sky", "road", "bird & bee", "unseen", "<lost>")


def test_the_table_as_text(small_matrix):
    assert str(small_matrix.table(SMALL_NAMES)) == TABLE


def test_the_table_in_a_notebook_says_the_same(small_matrix):
    page = small_matrix.table(SMALL_NAMES)._repr_html_()
    rows = [re.findall("<t[hd]( [^>]*)?>(.*?)</t[hd]>", row) for row in page.split("</tr>")[:-1]]
    of_text = [re.split("  +", li) for li in TABLE.splitlines() if "  " in li]
    shown = [[html.unescape(cell) for _, cell in row if cell] for row in rows]
    assert shown == of_text and all(len(row) == 5 for row in rows)
    assert "bird &amp; bee" in page and "unseen, &lt;lost&gt;</caption>" in page


def test_the_table_without_names_and_without_absent_classes(small_matrix):
    text = str(small_matrix.table())
    assert text.splitlines()[1].split() == ["0", "80.0", "62.5", "76.9", "62.5"]
    small_matrix.counts += 1
    table = small_matrix.table()
    assert str(table).splitlines()[-1].startswith("pixel accuracy")
    assert "caption" not in table._repr_html_()


def test_the_table_wants_one_name_for_each_class():
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        ConfusionMatrix(3).table(("sky", "road"))


# ---------------------------------------------------------------- confidence interval


def images_of(number: int, seed: int = 0, classes: int = 4) -> torch.Tensor:
    """Made-up counts of images: each has some of the classes and an error rate of its own."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((number, classes, classes), dtype=np.int64)
    for image in counts:
        present = rng.choice(classes, rng.integers(1, classes + 1), replace=False)
        for true in present:
            hits, misses = rng.integers(50, 500), rng.integers(0, 400)
            image[true, true] += hits
            image[true, rng.choice(classes)] += misses
    return torch.from_numpy(counts)


def mean_iou_of(counts: torch.Tensor) -> float:
    matrix = ConfusionMatrix(counts.shape[-1])
    matrix.counts = counts.sum(0)
    return matrix.mean_iou


def test_bootstrap_against_a_loop_with_the_same_draws():
    counts = images_of(7, classes=6)
    counts[1:, 5] = 0
    counts[1:, :, 5] = 0  # only the first image has class 5: a draw without it leaves it out
    draws = torch.randint(7, (50, 7), generator=torch.Generator().manual_seed(3))
    scores = [mean_iou_of(counts[draw]) for draw in draws]
    low, high = bootstrap_mean_iou(counts, repeats=50, confidence=0.9, seed=3)
    assert (low, high) == pytest.approx(tuple(np.quantile(scores, [0.05, 0.95])), abs=1e-12)


def test_bootstrap_is_repeatable_and_leaves_torchs_own_generator_alone():
    counts, before = images_of(9), torch.get_rng_state()
    first = bootstrap_mean_iou(counts)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    assert bootstrap_mean_iou(counts) == first
    assert bootstrap_mean_iou(counts.numpy()) == first
    assert bootstrap_mean_iou(counts, seed=1) != first


def test_the_interval_holds_the_score_and_narrows_with_more_images_and_less_confidence():
    widths = []
    for number in (10, 40, 160):
        counts = images_of(number)
        low, high = bootstrap_mean_iou(counts)
        assert low < mean_iou_of(counts) < high
        widths.append(high - low)
    assert widths[0] > 1.4 * widths[1] > 1.4**2 * widths[2]  # about half for four times as many
    low, high = bootstrap_mean_iou(counts, confidence=0.5)
    assert high - low < 0.6 * widths[2]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth = mean_iou_of(images_of(20_000, seed=999))
    covered = 0
    for seed in range(100):
        low, high = bootstrap_mean_iou(images_of(50, seed), repeats=200, confidence=0.8)
        covered += low <= truth <= high
    assert 68 <= covered <= 90


def test_bootstrap_of_one_image_and_of_only_void():
    counts = images_of(1)
    assert bootstrap_mean_iou(counts) == pytest.approx((mean_iou_of(counts),) * 2, abs=1e-12)
    assert all(map(math.isnan, bootstrap_mean_iou(torch.zeros(3, 4, 4, dtype=torch.int64))))
    mixed = torch.cat([counts, torch.zeros_like(counts)])  # draws of void alone have no score
    assert bootstrap_mean_iou(mixed) == pytest.approx((mean_iou_of(counts),) * 2, abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((0, 3, 3), {}, r"N at least 1; found \(0, 3, 3\)"),
        ((3, 3), {}, r"\[N, C, C\], N at least 1; found \(3, 3\)"),
        ((2, 3, 4), {}, r"found \(2, 3, 4\)"),
        ((2, 3, 3), {"repeats": 0}, "found 0 and 0.95"),
        ((2, 3, 3), {"confidence": 95}, "found 1000 and 95"),
    ],
)
def test_what_bootstrap_refuses(shape, options, words):
    with pytest.raises(ValueError, match=words):
        bootstrap_mean_iou(torch.zeros(shape, dtype=torch.int64), **options)


# ---------------------------------------------------------------- boundary IoU


@st.composite
def regions(draw):
    """(classes, prediction, target, width): blocks of classes, the prediction moved and noisy."""
    classes = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows, columns, size = draw(st.sampled_from([(1, 1, 1), (2, 3, 9), (4, 3, 6), (9, 11, 2)]))
    target = np.kron(rng.integers(0, classes, (rows, columns)), np.ones((size, size), dtype=int))
    prediction = np.roll(target, draw(st.integers(0, 3)), axis=1)
    noise = rng.random(target.shape) < draw(st.sampled_from([0, 0.02]))
    prediction = np.where(noise, rng.integers(0, classes, target.shape), prediction)
    target = np.where(rng.random(target.shape) < draw(st.sampled_from([0, 0.05, 1])), 255, target)
    return classes, prediction.astype(np.uint8), target.astype(np.uint8), draw(st.integers(1, 6))


def band_by_erosion(region: np.ndarray, width: int) -> np.ndarray:
    """A region less its erosion, with one pixel of nothing around the image, as the authors do."""
    ndimage = pytest.importorskip("scipy.ndimage")
    eroded = ndimage.binary_erosion(np.pad(region, 1), np.ones((3, 3)), width, border_value=1)
    return region & ~eroded[1:-1, 1:-1]


@given(regions())
def test_inner_border_is_what_erosion_takes_away(case):
    _, _, mask, width = case
    border = inner_border(mask, width)
    assert border.shape == mask.shape and border.dtype == torch.bool
    for index in np.unique(mask):
        region = mask == index
        np.testing.assert_array_equal(border.numpy() & region, band_by_erosion(region, width))
    turned = np.stack([mask, np.flip(mask)])
    assert torch.equal(inner_border(turned, width), torch.stack([border, border.flip(0, 1)]))


@given(regions(), st.integers(0, 3))
def test_boundary_iou_of_a_data_set_against_erosion_class_by_class(case, moved):
    classes, prediction, target, width = case
    images = [(prediction, target), (np.roll(prediction, moved, axis=0), target[::-1])]
    common, union = np.zeros((2, classes))
    for guess, truth in images:
        for index in range(classes):
            ours, theirs = (
                band_by_erosion((mask == index) & (truth != 255), width) for mask in (guess, truth)
            )
            common[index] += (ours & theirs).sum()
            union[index] += (ours | theirs).sum()
    tables = [count_bands(guess, truth, classes, width) for guess, truth in images]
    scores = iou_of_counts(sum(tables))[:classes]
    assert scores.dtype == torch.float64
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(scores.numpy(), common / union)


@given(regions())
def test_boundary_iou_of_equal_masks_is_one_whatever_lies_on_void(case):
    classes, prediction, target, width = case
    right = np.where(target == 255, prediction, target)
    scores = boundary_iou(right, target, classes, width)
    present = np.isin(np.arange(classes), target)
    np.testing.assert_array_equal(scores.numpy(), np.where(present, 1, NAN))


@given(regions())
def test_where_the_band_is_the_whole_object_boundary_iou_is_iou(case):
    classes, prediction, target, _ = case
    scores = boundary_iou(prediction, target, classes, width=max(target.shape))
    expected = counted(classes, prediction, target).iou
    torch.testing.assert_close(scores, expected, rtol=0, atol=0, equal_nan=True)


def test_boundary_iou_of_a_thin_and_a_thick_object_by_hand():
    """Both are one column off: the wire (two columns) notices in both scores, the wall in one."""
    target = np.zeros((40, 60), dtype=np.uint8)
    target[:, 5:7], target[:, 20:50] = 1, 2
    prediction = np.roll(target, 1, axis=1)
    iou = counted(3, prediction, target).iou.tolist()
    boundary = boundary_iou(prediction, target, 3, width=1).tolist()
    assert iou[1] == boundary[1] == 1 / 3
    assert iou[2] == 29 / 31
    # Bands: 2 columns of 40, and 28 pixels in the first and in the last row between them. Common
    # are only the rows' pixels in 29 columns.
    assert boundary[2] == pytest.approx(2 * 29 / (2 * (2 * 40 + 2 * 28) - 2 * 29))


def test_the_default_width_is_two_percent_of_the_diagonal():
    assert [boundary_width(375, 500), boundary_width(480, 640), boundary_width(9, 9)] == [12, 16, 1]
    rng = np.random.default_rng(0)
    target = np.kron(rng.integers(0, 3, (3, 4)), np.ones((40, 40), dtype=int))
    prediction = np.roll(target, 5, axis=0)
    width = boundary_width(120, 160)
    assert width == 4
    expected = boundary_iou(prediction, target, 3, width)
    assert torch.equal(boundary_iou(prediction, target, 3), expected)
    assert not torch.equal(boundary_iou(prediction, target, 3, width + 1), expected)


@pytest.mark.parametrize(
    ("prediction", "target", "width", "words"),
    [
        (zeros, zeros[:2], 1, "differ in shape"),
        (zeros.astype(np.float32), zeros, 1, "prediction holds float32"),
        (zeros + 5, zeros, 1, "prediction holds 5;"),
        (zeros, zeros + 254, 1, "target holds 254; expected"),
        (zeros[None], zeros[None], 1, r"one image \[H, W\]; found \(1, 3, 4\)"),
        (zeros, zeros, 0, "at least 1 pixel wide; found 0"),
    ],
)
def test_what_count_bands_refuses(prediction, target, width, words):
    with pytest.raises(ValueError, match=words):
        count_bands(prediction, target, 5, width)


# ---------------------------------------------------------------- calibration


@given(st.integers(2, 8), st.integers(1, 20), st.floats(0.2, 6), st.integers(0, 10_000))
@settings(max_examples=30)
def test_the_calibration_error_equals_that_of_torchmetrics(classes, bins, scale, seed):
    theirs = pytest.importorskip("torchmetrics.classification")
    generator = torch.Generator().manual_seed(seed)
    scores = (scale * torch.randn(2, classes, 9, 11, generator=generator)).softmax(1)
    target = torch.randint(classes, (2, 9, 11), generator=generator)
    target[:, :2] = 255
    metric = theirs.MulticlassCalibrationError(classes, n_bins=bins, ignore_index=255)
    table = torch.zeros(3, bins)
    for score, truth in zip(scores, target, strict=True):  # tables add up
        metric.update(score[None], truth[None])
        confidence, guess = score.max(0)
        known = truth != 255
        table = table + count_confidences(confidence[known], (guess == truth)[known], bins)
    assert table[0].sum() == (target != 255).sum()
    assert calibration_error(table) == pytest.approx(metric.compute().item(), abs=1e-6)


def test_confidences_by_hand():
    confidence, right = [0.1, 0.5, 0.7, 0.9, 1.0], [False, True, False, True, True]
    table = count_confidences(confidence, right, bins=2)  # an edge belongs to the range above
    torch.testing.assert_close(table, torch.tensor([[1, 4], [0.1, 3.1], [0, 3]]).double())
    assert calibration_error(table) == pytest.approx((0.1 + 0.1) / 5)
    assert math.isnan(calibration_error(count_confidences([], [])))


@pytest.mark.parametrize("confidence", [[7.3], [-0.1], [NAN]])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        count_confidences(confidence, [True])
