"""The exercises of notebook 07: training."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from seglab.exercises.checking import (
    Hint,
    LearnersError,
    call,
    close,
    described,
    exercise,
    expect_equal,
    expect_tensor,
    without,
)
from seglab.losses import pixel_loss
from seglab.palettes import VOID


def random_masks(shape, classes: int, void: float) -> torch.Tensor:
    """A mask `uint8` of random classes, with about this share of void."""
    mask = torch.randint(0, classes, shape, dtype=torch.uint8)
    return mask.where(torch.rand(shape) >= void, VOID)


# ---------------------------------------------------------------- cross-entropy by hand


@exercise(notebook="07", stars=2, minutes=10)
def labelled_cross_entropy(function):
    """Cross-entropy over the labelled pixels, from elementary operations."""

    def loss(logits, masks):
        try:
            with without(
                lambda name, given: "nll_loss" in name or "cross_entropy" in name,
                "You leave the sum to torch's own cross-entropy, by whatever name. That is what is "
                "to be built here: `log_softmax`, then the channel of the true class.",
            ):
                return call(function, logits, masks)
        except LearnersError as error:
            words = str(error.__cause__).lower()
            if "out of bounds" in words or "class values must be smaller" in words:
                raise Hint(
                    "Void reaches an index: there is no channel 255. Give void pixels some valid "
                    "index first, and take care that what comes out there does not count."
                ) from error
            raise

    logits, masks = torch.randn(2, 4, 3, 5), random_masks((2, 3, 5), 4, 0.3)
    masks[0, 0] = VOID  # so that the two images have different numbers of labelled pixels
    logits.requires_grad_()
    found = loss(logits, masks)
    given = "two images of 3 × 5 pixels, four classes, some void"
    expect_tensor(found, (), given=given)
    expected = pixel_loss(logits, masks)
    labelled = masks != VOID
    safe = masks.where(labelled, 0).long()

    def costs(dim, index=safe):
        return -logits.log_softmax(dim).gather(1, index[:, None])[:, 0]

    if close(found, -expected):
        raise Hint("Your loss is negative. The logarithm of a probability is; its cost is not.")
    mistakes = {
        "Void pixels cost nothing in your result, but they are among those that you divide by: "
        "more void, lower loss.": (costs(1) * labelled).mean(),
        "The loss is what it would be if void were class 0. Void needs some valid index, but it "
        "must not be counted there.": costs(1).mean(),
        "The loss is what it would be if void were the last class. Void needs some valid index, "
        "but it must not be counted there.": costs(1, masks.clamp(max=3).long()).mean(),
        "You take the mean of each image, and then the mean of these. An image with little that "
        "is labelled weighs as much as the others then.": torch.stack(
            [pixel_loss(x[None], m[None]) for x, m in zip(logits, masks, strict=True)]
        ).mean(),
        "You return the sum. Divide by the number of labelled pixels.": (costs(1) * labelled).sum(),
        "You count in bits. The loss is the natural logarithm.": expected / torch.tensor(2.0).log(),
        "Background, index 0, seems not to count. It is a class like any other; only void is left "
        "out.": costs(1)[labelled & (masks > 0)].mean(),
        "You take the mean of each class, and then the mean of these. Each pixel counts alike "
        "here.": torch.stack(
            [costs(1)[masks == c].mean() for c in masks[labelled].unique()]
        ).mean(),
    }
    for dim in (0, 2, 3):
        words = f"Your probabilities sum to 1 over dimension {dim}. Which one holds the classes?"
        mistakes[words] = costs(dim)[labelled].mean()
    for hint, value in mistakes.items():
        if close(found, value):
            raise Hint(f"For {given} you return {described(found)}. {hint}")
    expect_equal(found, expected, given)

    if not found.requires_grad:
        raise Hint(
            "The number is right, but it has no gradient: nothing could be trained with it. Which "
            "step (`.item()`, `.detach()`, a new tensor) cuts it off from the logits?"
        )
    (gradient,) = torch.autograd.grad(found, logits)
    (right,) = torch.autograd.grad(expected, logits)
    expect_equal(gradient, right, f"{given}: the gradient of the logits", 1e-5)

    sure = torch.tensor([[300.0, -300.0], [-300.0, 300.0]])[None, :, None]  # [1, 2, 1, 2]
    wrong_once = torch.tensor([[[1, 1]]], dtype=torch.uint8)
    found = loss(sure, wrong_once)
    if not torch.isfinite(found).all():
        raise Hint(
            "For logits of ±300 the loss is not finite: exp(−600) is 0 in 32 bits, and log(0) is "
            "−∞. Take the logarithm of the softmax in one step, not in two."
        )
    if not close(found, 300.0) and 0 < float(found) < 300:
        raise Hint(
            f"For logits of ±300, one pixel right and one wrong, the loss is {described(found)}, "
            "and should be 300. A probability that is clipped hides how wrong a pixel is, and has "
            "no gradient there. Take the logarithm of the softmax in one step."
        )
    expect_equal(found, 300.0, "logits of ±300, one pixel right, one wrong")

    for name, masks, classes in (
        ("an image that is all void", torch.full((1, 2, 2), VOID, dtype=torch.uint8), 3),
        ("one labelled pixel", torch.tensor([[[2]]], dtype=torch.uint8), 3),
        ("a network with one class", random_masks((1, 3, 3), 1, 0.4), 1),
        ("masks of type int64", random_masks((3, 1, 7), 5, 0.2).long(), 5),
    ):
        logits = torch.randn(len(masks), classes, *masks.shape[1:], requires_grad=True)
        found = loss(logits, masks)
        if not torch.isfinite(torch.as_tensor(found)).all():
            raise Hint(
                f"For {name} you return {described(found)}. Zero divided by zero is NaN, and one "
                "such window makes every weight NaN. There is nothing to learn: the loss is 0."
            )
        expect_tensor(found, (), given=name)
        expect_equal(found, pixel_loss(logits, masks), name)
        if not found.requires_grad:
            raise Hint(
                f"For {name} the number is right, but it is a new one, and hangs on no logits: "
                "`backward()` ends with an error there. Let it come out of the same formula."
            )


# ---------------------------------------------------------------- a schedule


@exercise(notebook="07", stars=1, minutes=5)
def warm_up_then_poly(function):
    """The factor of the learning rate: a straight warm-up, then poly."""

    def right(step, steps, warm_up):
        if step < warm_up:
            return (step + 1) / warm_up
        return (1 - (step - warm_up) / (steps - warm_up)) ** 0.9

    def factor(step, steps, warm_up):
        try:
            return call(function, step, steps, warm_up)
        except LearnersError as error:
            if isinstance(error.__cause__, ZeroDivisionError) and warm_up in (0, steps):
                raise Hint(
                    f"Division by zero for step {step} of {steps} with warm_up = {warm_up}. "
                    "A training may have no warm-up, or nothing but warm-up: which of your two "
                    "formulas may be computed then?"
                ) from error
            raise

    steps, warm_up = 100, 10
    if close(factor(0, steps, warm_up), 0):
        raise Hint(
            "The factor of step 0 is 0: this step costs as much as any other and changes nothing. "
            "Steps count from 0, so after step 0 one of the warm-up's steps is done."
        )
    middle, end = factor(4, steps, warm_up), factor(10, steps, warm_up)
    if close(middle, 0.5 * (1 - 4 / steps) ** 0.9):
        raise Hint(
            "During the warm-up your factor is below the straight line: poly is already falling. "
            "First one, then the other."
        )
    if end > 1 + 1e-6:
        raise Hint(
            f"At step {warm_up} of {steps} with warm_up = {warm_up} the factor is "
            f"{described(end)}, above the highest rate. Steps count from 0: which is the last one "
            "of the warm-up?"
        )
    done = (50 - warm_up) / (steps - warm_up)
    after = factor(50, steps, warm_up)
    if close(after, 1 - done):
        raise Hint("After the warm-up your factor falls in a straight line. Poly has a power: 0.9.")
    if close(after, 1 - done**0.9):
        raise Hint(
            "You raise what is over to the power 0.9, and take it from 1. It is the other way "
            "round: what is left, 1 − done, has the power."
        )
    if close(end, (1 - warm_up / steps) ** 0.9):
        raise Hint(
            f"After the warm-up the factor drops from 1 to {described(end)} at once: your poly "
            "has been falling since step 0. It begins where the warm-up ends."
        )
    if close(factor(99, steps, warm_up), 0):
        raise Hint(
            "The last step has the factor 0 and so is wasted. The factor would be 0 at step "
            "`steps`, which is not taken any more."
        )
    for steps, warm_up in [(100, 10), (100, 0), (7, 3), (10, 1), (1, 0), (5, 5), (30_000, 1500)]:
        for step in sorted({0, 1, warm_up - 1, warm_up, warm_up + 1, steps // 2, steps - 1}):
            if 0 <= step < steps:
                given = f"step {step} of {steps}, warm_up = {warm_up}"
                expect_equal(factor(step, steps, warm_up), right(step, steps, warm_up), given)


# ---------------------------------------------------------------- groups of parameters


@exercise(notebook="07", stars=2, minutes=10)
def fine_tuning_groups(function):
    """Groups for an optimizer: no decay for biases and norms, ten times the rate for the head."""
    rate, decay = 1e-3, 0.05
    head = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1))
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3))
    groups_are_right(function, nn.Sequential(body, head), head, rate, decay)
    body[0].requires_grad_(False)  # frozen
    groups_are_right(function, nn.Sequential(body, head), head, rate, decay)
    head[2].bias.requires_grad_(False)
    groups_are_right(function, nn.Sequential(body, head), head, rate, decay)
    head = nn.ConvTranspose2d(4, 2, 2, bias=False)
    groups_are_right(
        function, nn.Sequential(nn.Linear(4, 4), nn.GroupNorm(2, 4), head), head, 0.01, 0.1
    )


def groups_are_right(function, model: nn.Module, head: nn.Module, rate: float, decay: float):
    """One network of `fine_tuning_groups`: what torch's optimizer makes of the groups."""
    try:
        groups = call(function, model, head, rate, decay)
    except LearnersError as error:
        words = str(error.__cause__)
        if "must match the size" in words or "is ambiguous" in words:
            raise Hint(
                "`in` on a list compares tensors number by number. To find out whether it is the "
                "same parameter, put the head's into a `set`, or compare their `id`."
            ) from error
        raise
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise Hint(f"Expected a list of dicts; your function returns {described(groups)}.")
    for group in groups:
        if group.keys() != {"params", "lr", "weight_decay"}:
            raise Hint(
                f"A group has the keys {sorted(group)}; it should have params, lr, weight_decay."
            )
    try:
        groups = torch.optim.AdamW(groups, lr=123.0).param_groups
    except ValueError as error:
        if "more than one parameter group" in str(error):
            raise Hint(
                "Some parameters are in two groups. The head is a part of the model: whoever walks "
                "over the whole model meets the head's parameters, too."
            ) from error
        raise Hint(f"torch.optim.AdamW does not take your groups: {error}") from error
    settings = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    if sum(len(group["params"]) for group in groups) != len(settings):
        raise Hint("A parameter is listed twice in one group; it would be changed twice a step.")
    in_head = {id(parameter) for parameter in head.parameters()}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            if id(parameter) in settings:
                raise Hint(
                    f"{name} is frozen (`requires_grad` is False), and still in a group. Leave "
                    "out what is not trained."
                )
            continue
        if id(parameter) not in settings:
            raise Hint(f"{name} is in no group, so it would never be trained.")
        lr, weight_decay = settings.pop(id(parameter))
        new = id(parameter) in in_head
        if parameter.ndim > 1 and weight_decay == 0:
            raise Hint(f"{name} is a kernel, and gets no weight decay from you; it should.")
        if parameter.ndim == 1 and weight_decay == decay:
            raise Hint(
                f"{name} gets weight decay. Biases are not the only ones that should be spared: "
                "the scale of a normalization layer is called `weight`, too. Do names tell?"
                if name.endswith("weight")
                else f"{name} gets weight decay. Pulling a bias towards zero simplifies nothing."
            )
        expect_equal(weight_decay, decay if parameter.ndim > 1 else 0.0, f"weight_decay of {name}")
        if new and close(lr, rate, 1e-9):
            raise Hint(f"{name} belongs to the new head, and learns no faster than the rest.")
        if not new and close(lr, 10 * rate, 1e-9):
            raise Hint(f"{name} is pretrained, and gets the rate of the head: ten times too high.")
        if not new and close(lr, rate / 10, 1e-9):
            raise Hint(
                f"{name} is pretrained, and gets a tenth of `rate`. The argument is the rate of "
                "everything but the head; only the head gets another one."
            )
        expect_equal(lr, 10 * rate if new else rate, f"lr of {name}", 1e-9)
    if settings:
        raise Hint("Your groups hold parameters that do not belong to the model.")


# ---------------------------------------------------------------- a checkpoint


class Training:
    """A small training whose state is a model, an optimizer, a generator and a step."""

    def __init__(self):
        torch.manual_seed(7)
        self.model = nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1)
        )
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.05)
        self.generator = torch.Generator().manual_seed(3)
        self.step = 0

    def train(self, steps: int) -> list[float]:
        """Take steps on random images, with a rate that falls; their losses."""
        losses = []
        for _ in range(steps):
            for group in self.optimizer.param_groups:
                group["lr"] = 0.05 * 0.8**self.step
            images = torch.randn(2, 2, 5, 5, generator=self.generator)
            masks = images.argmax(1)  # which of the two channels is larger
            loss = F.cross_entropy(self.model(images), masks)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            losses.append(loss.item())
        return losses

    def parts(self) -> tuple:
        return self.model, self.optimizer, self.generator, self.step


PARTS = ("model", "optimizer", "generator", "step")


@exercise(notebook="07", stars=3, minutes=15)
def resume_point(function):
    """All that a training needs to go on with the same numbers, as a copy."""
    training = Training()
    training.train(4)
    untouched = training.generator.get_state()
    point = call(function, *training.parts())
    if not torch.equal(training.generator.get_state(), untouched):
        raise Hint(
            "Your function draws from the generator. The training that goes on sees other "
            "pictures than one that was never saved: ask for the state, and draw nothing."
        )
    if not training.model.training:
        raise Hint("Your function switches the model to evaluation, and the training goes on so.")
    if not isinstance(point, dict) or point.keys() != set(PARTS):
        keys = sorted(map(str, point)) if isinstance(point, dict) else described(point)
        raise Hint(f"Expected a dict with the keys {', '.join(PARTS)}; found {keys}.")
    for name in ("model", "optimizer"):
        if not isinstance(point[name], dict):
            raise Hint(
                f'point["{name}"] is {described(point[name])[:40]}. Store its state, not the thing '
                "itself: a file of live objects breaks with the next version of your code."
            )
    if point["step"] != 4:
        raise Hint(f"After four steps you store the step {described(point['step'])}.")
    if not isinstance(point["generator"], torch.Tensor) or point["generator"].dtype != torch.uint8:
        raise Hint(
            f'point["generator"] is {described(point["generator"])}. A seed only says how the '
            "draws began; four steps have been drawn since then. The generator can tell where it "
            "stands now."
        )
    missing = training.model.state_dict().keys() - point["model"].keys()
    if missing:
        raise Hint(
            f"The model's part lacks {', '.join(sorted(missing))}. Not everything that changes "
            "is a parameter: batch norm keeps running statistics, which no gradient touches."
        )
    for name, tensor in training.model.state_dict().items():
        if point["model"][name].dtype != tensor.dtype:
            kind = str(point["model"][name].dtype).removeprefix("torch.")
            raise Hint(f"You store {name} as {kind}. Rounded once, it never comes back the same.")
    if not point["optimizer"].get("state"):
        raise Hint(
            "The optimizer's memory is missing: AdamW keeps two numbers for each weight, the "
            "running means of its gradient and of the square. Without them it starts cold."
        )
    before = copy.deepcopy(point)
    expected = training.train(4)
    for name in PARTS:
        if not unchanged(point[name], before[name]):
            raise Hint(
                f'point["{name}"] has changed while the training went on: what you stored are the '
                "living tensors, not their values at step 4. A `state_dict()` does not copy them."
            )
    other = Training()
    other.model.load_state_dict(point["model"])
    other.optimizer.load_state_dict(point["optimizer"])
    other.generator.set_state(point["generator"])
    other.step = int(point["step"])
    found = other.train(4)
    if found != expected:
        first = next(
            i for i, pair in enumerate(zip(found, expected, strict=True), 5) if len({*pair}) > 1
        )
        raise Hint(
            f"A training that goes on from your point has other losses from step {first} on. "
            "Which of the four parts is not exactly as it was?"
        )


def unchanged(one, other) -> bool:
    """Are two nested states equal in every bit?"""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(unchanged(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(unchanged, one, other))
    return one == other


# ---------------------------------------------------------------- one loss from several parts


@exercise(notebook="07", stars=1, minutes=5)
def loss_of_the_whole(function):
    """The loss of a batch from the losses of its parts."""
    classes = 3
    logits = torch.randn(3, 2, classes, 4, 5)
    masks = torch.stack([random_masks((2, 4, 5), classes, void) for void in (0.0, 0.3, 0.8)])
    losses = torch.stack([pixel_loss(x, m) for x, m in zip(logits, masks, strict=True)])
    found = call(function, losses, masks)
    given = "three parts with 0, 30 and 80 % void"
    expected = pixel_loss(logits.flatten(0, 1), masks.flatten(0, 1))
    for pixels, hint in {
        masks <= VOID: "That is the plain mean of the parts: a part that is mostly void counts as "
        "much as one without void. How much of the batch does each of them speak for?",
        (masks > 0) & (masks < VOID): "Background, index 0, seems to be left out. It is labelled: "
        "only void does not count.",
        masks == VOID: "A part with more void counts more in your result. Count the other pixels.",
        masks > 0: "Your weights count void and leave out background. Which index is void?",
    }.items():
        weights = pixels.flatten(1).sum(1)
        if close(found, (losses * weights).sum() / weights.sum()):
            raise Hint(f"For {given} you return {described(found)}. {hint}")
    if close(found, expected * (masks != VOID).sum()):
        raise Hint("You return the sum over all labelled pixels. The loss is their mean.")
    expect_equal(found, expected, given)

    losses, masks = torch.tensor([0.0, 3.0]), torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    if close(call(function, losses, masks), 3.0):
        raise Hint(
            "For two parts of four labelled pixels each, with the losses 0 and 3, you return 3. A "
            "loss of 0 does not mean that nothing is labelled: the first part is right everywhere."
        )
    expect_equal(call(function, losses, masks), 1.5, "two parts with the losses 0 and 3, no void")
    masks = torch.zeros(2, 1, 20, 30, dtype=torch.uint8)
    masks[1, :, :5] = VOID
    found = call(function, losses, masks)
    if not close(found, 3 * 450 / 1050):
        raise Hint(
            f"For two parts with 600 and 450 labelled pixels you return {described(found)}; right "
            f"would be {3 * 450 / 1050:.4g}, and small parts were right. Does your sum of pixels "
            "fit into its type? 8 bits hold 255 at most."
        )

    for name, masks in {
        "one part": random_masks((1, 2, 3, 3), 4, 0.5),
        "a part that is all void": torch.stack(
            [random_masks((1, 2, 2), 4, 0.0), torch.full((1, 2, 2), VOID, dtype=torch.uint8)]
        ),
        "images of one pixel": torch.tensor([0, 3, VOID, 1], dtype=torch.uint8).view(4, 1, 1, 1),
        "nothing but void": torch.full((2, 1, 3, 3), VOID, dtype=torch.uint8),
    }.items():
        logits = torch.randn(*masks.shape[:2], 4, *masks.shape[2:])
        losses = torch.stack([pixel_loss(x, m) for x, m in zip(logits, masks, strict=True)])
        found = call(function, losses, masks)
        if not bool(torch.isfinite(torch.as_tensor(found)).all()):
            raise Hint(
                f"For {name} you return {described(found)}: zero divided by zero. Where nothing "
                "is labelled there is nothing to learn, and the loss is 0."
            )
        expect_equal(found, pixel_loss(logits.flatten(0, 1), masks.flatten(0, 1)), name)
