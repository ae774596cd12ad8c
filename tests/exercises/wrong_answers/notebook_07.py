"""Wrong answers to the exercises of notebook 07, each with words of the hint that it must get."""

import copy

import torch
import torch.nn.functional as F

from seglab.palettes import VOID

# ---------------------------------------------------------------- loss_of_the_whole


def plain_mean(losses, masks):
    return losses.mean()


def without_background(losses, masks):
    counts = ((masks > 0) & (masks != VOID)).flatten(1).sum(1)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


def counts_void(losses, masks):
    counts = (masks == VOID).flatten(1).sum(1)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


def forgets_to_divide(losses, masks):
    return (losses * (masks != VOID).flatten(1).sum(1)).sum()


def nan_for_void(losses, masks):
    counts = (masks != VOID).flatten(1).sum(1)
    return (losses * counts).sum() / counts.sum()


def only_where_something_is_wrong(losses, masks):
    counts = (masks != VOID).flatten(1).sum(1) * (losses > 0)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


def counts_in_bytes(losses, masks):
    counts = (masks != VOID).flatten(1).sum(1, dtype=torch.uint8)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


def void_part_counts_one(losses, masks):
    counts = (masks != VOID).flatten(1).sum(1).clamp(min=1)
    return (losses * counts).sum() / counts.sum()


# ---------------------------------------------------------------- warm_up_then_poly


def starts_at_zero(step, steps, warm_up):
    if step < warm_up:
        return step / warm_up
    return (1 - (step - warm_up) / (steps - warm_up)) ** 0.9


def both_at_once(step, steps, warm_up):
    rising = min(1, (step + 1) / warm_up) if warm_up else 1
    return rising * (1 - step / steps) ** 0.9


def falls_from_the_start(step, steps, warm_up):
    return (step + 1) / warm_up if step < warm_up else (1 - step / steps) ** 0.9


def last_step_wasted(step, steps, warm_up):
    if step < warm_up:
        return (step + 1) / warm_up
    return (1 - (step - warm_up) / max(1, steps - 1 - warm_up)) ** 0.9


def always_divides(step, steps, warm_up):
    rising = (step + 1) / warm_up
    return rising if step < warm_up else (1 - (step - warm_up) / (steps - warm_up)) ** 0.9


def falls_straight(step, steps, warm_up):
    return (step + 1) / warm_up if step < warm_up else 1 - (step - warm_up) / (steps - warm_up)


def power_of_what_is_over(step, steps, warm_up):
    if step < warm_up:
        return (step + 1) / warm_up
    return 1 - ((step - warm_up) / (steps - warm_up)) ** 0.9


def one_step_too_long(step, steps, warm_up):
    if step <= warm_up and warm_up:
        return (step + 1) / warm_up
    return (1 - (step - warm_up) / (steps - warm_up)) ** 0.9


# ---------------------------------------------------------------- labelled_cross_entropy


def picked(logits, masks, dim=1):
    """The cost of each pixel, as if void were class 0, and which are labelled."""
    labelled = masks != VOID
    index = masks.where(labelled, 0).long()[:, None]
    return -logits.log_softmax(dim).gather(1, index)[:, 0], labelled


def void_as_an_index(logits, masks):
    return -logits.log_softmax(1).gather(1, masks.long()[:, None]).mean()


def divides_by_all(logits, masks):
    costs, labelled = picked(logits, masks)
    return (costs * labelled).mean()


def void_is_background(logits, masks):
    return picked(logits, masks)[0].mean()


def void_is_the_last_class(logits, masks):
    index = masks.long().clamp(max=logits.shape[1] - 1)
    return -logits.log_softmax(1).gather(1, index[:, None]).mean()


def mean_of_means(logits, masks):
    costs, labelled = picked(logits, masks)
    return torch.stack([c[m].mean() for c, m in zip(costs, labelled, strict=True)]).mean()


def over_the_columns(logits, masks):
    costs, labelled = picked(logits, masks, dim=-1)
    return costs[labelled].mean()


def negative(logits, masks):
    costs, labelled = picked(logits, masks)
    return -costs[labelled].mean()


def cut_off(logits, masks):
    costs, labelled = picked(logits.detach(), masks)
    return costs[labelled].mean()


def log_of_softmax(logits, masks):
    labelled = masks != VOID
    index = masks.where(labelled, 0).long()[:, None]
    return -logits.softmax(1).gather(1, index)[:, 0][labelled].log().mean()


def clipped(logits, masks):
    labelled = masks != VOID
    index = masks.where(labelled, 0).long()[:, None]
    return -logits.softmax(1).clamp(min=1e-9).gather(1, index)[:, 0][labelled].log().mean()


def nan_where_all_is_void(logits, masks):
    costs, labelled = picked(logits, masks)
    return (costs * labelled).sum() / labelled.sum()


def torchs_own(logits, masks):
    if not (masks != VOID).any():
        return logits.sum() * 0
    return F.cross_entropy(logits, masks.long(), ignore_index=VOID)


def by_the_layer(logits, masks):
    layer = torch.nn.NLLLoss(ignore_index=VOID, reduction="sum")
    return layer(logits.log_softmax(1), masks.long()) / (masks != VOID).sum().clamp(min=1)


def pythons_zero(logits, masks):
    costs, labelled = picked(logits, masks)
    return costs[labelled].mean() if labelled.any() else 0.0


def new_zero(logits, masks):
    costs, labelled = picked(logits, masks)
    return costs[labelled].mean() if labelled.any() else torch.zeros(())


def in_bits(logits, masks):
    costs, labelled = picked(logits, masks)
    return costs[labelled].mean() / torch.tensor(2.0).log()


def background_left_out(logits, masks):
    costs, labelled = picked(logits, masks)
    return costs[labelled & (masks > 0)].mean()


def mean_of_classes(logits, masks):
    costs, labelled = picked(logits, masks)
    return torch.stack([costs[masks == c].mean() for c in masks[labelled].unique()]).mean()


# ---------------------------------------------------------------- fine_tuning_groups


def grouped(model, head, rate, weight_decay, decays, factor=10, frozen=False):
    """The right groups, but for what the arguments say."""
    of_head = set(head.parameters())
    return [
        {
            "params": [p],
            "lr": factor * rate if p in of_head else rate,
            "weight_decay": weight_decay if decays(name, p) else 0.0,
        }
        for name, p in model.named_parameters()
        if p.requires_grad or frozen
    ]


def is_kernel(name, parameter):
    return parameter.ndim > 1


def biases_by_name(model, head, rate, weight_decay):
    return grouped(model, head, rate, weight_decay, lambda name, p: not name.endswith("bias"))


def all_decay(model, head, rate, weight_decay):
    norms = {p for m in model.modules() if "Norm" in type(m).__name__ for p in m.parameters()}
    return grouped(model, head, rate, weight_decay, lambda name, p: p not in norms)


def one_rate(model, head, rate, weight_decay):
    return grouped(model, head, rate, weight_decay, is_kernel, factor=1)


def with_frozen(model, head, rate, weight_decay):
    return grouped(model, head, rate, weight_decay, is_kernel, frozen=True)


def head_twice(model, head, rate, weight_decay):
    return [
        {"params": model.parameters(), "lr": rate, "weight_decay": weight_decay},
        {"params": head.parameters(), "lr": 10 * rate, "weight_decay": weight_decay},
    ]


def head_only(model, head, rate, weight_decay):
    return grouped(head, head, rate, weight_decay, is_kernel)


def compares_tensors(model, head, rate, weight_decay):
    of_head = list(head.parameters())
    body = [p for p in model.parameters() if p not in of_head]
    return [{"params": body, "lr": rate, "weight_decay": weight_decay}]


def other_way_round(model, head, rate, weight_decay):
    groups = grouped(model, head, rate, weight_decay, is_kernel)
    for group in groups:
        group["lr"] = rate if group["lr"] > rate else 10 * rate
    return groups


def rate_of_the_head(model, head, rate, weight_decay):
    return grouped(model, head, rate / 10, weight_decay, is_kernel)


def kernels_have_four_dimensions(model, head, rate, weight_decay):
    return grouped(model, head, rate, weight_decay, lambda name, p: p.ndim == 4)


def frozen_only_in_the_body(model, head, rate, weight_decay):
    of_head = set(head.parameters())
    groups = grouped(model, head, rate, weight_decay, is_kernel, frozen=True)
    return [g for g in groups if g["params"][0].requires_grad or g["params"][0] in of_head]


def frozen_by_its_gradient(model, head, rate, weight_decay):
    groups = grouped(model, head, rate, weight_decay, is_kernel)
    return [group for group in groups if group["params"][0].grad is not None]


def ten_times_the_decay(model, head, rate, weight_decay):
    groups = grouped(model, head, rate, weight_decay, is_kernel)
    for group in groups:
        group["weight_decay"] *= group["lr"] / rate
    return groups


# ---------------------------------------------------------------- resume_point


def living(model, optimizer, generator, step):
    return {
        "model": model.state_dict(),
        "optimizer": copy.deepcopy(optimizer.state_dict()),
        "generator": generator.get_state(),
        "step": step,
    }


def without_statistics(model, optimizer, generator, step):
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    return living(model, optimizer, generator, step) | {"model": weights}


def only_the_seed(model, optimizer, generator, step):
    return living(model, optimizer, generator, step) | {"generator": generator.initial_seed()}


def only_the_settings(model, optimizer, generator, step):
    settings = {"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}
    return living(model, optimizer, generator, step) | {"optimizer": settings}


def the_things_themselves(model, optimizer, generator, step):
    return {"model": model, "optimizer": optimizer, "generator": generator, "step": step}


def no_generator(model, optimizer, generator, step):
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}


def generator_begins_anew(model, optimizer, generator, step):
    fresh = torch.Generator().manual_seed(generator.initial_seed()).get_state()
    return copy.deepcopy(living(model, optimizer, generator, step) | {"generator": fresh})


def next_step(model, optimizer, generator, step):
    return copy.deepcopy(living(model, optimizer, generator, step + 1))


def draws_first(model, optimizer, generator, step):
    torch.rand(1, generator=generator)
    return copy.deepcopy(living(model, optimizer, generator, step))


def in_evaluation(model, optimizer, generator, step):
    return copy.deepcopy(living(model.eval(), optimizer, generator, step))


def in_halves(model, optimizer, generator, step):
    point = copy.deepcopy(living(model, optimizer, generator, step))
    point["model"] = {name: tensor.half() for name, tensor in point["model"].items()}
    return point


# ---------------------------------------------------------------- right, in other styles


def in_a_loop(losses, masks):
    total, pixels = 0.0, 0
    for loss, mask in zip(losses.tolist(), masks.numpy(), strict=True):
        count = int((mask != VOID).sum())
        total, pixels = total + loss * count, pixels + count
    return total / max(pixels, 1)


def by_logsumexp(logits, masks):
    labelled = masks != VOID
    index = masks.long().masked_fill(~labelled, 0)
    costs = logits.logsumexp(1) - logits.gather(1, index[:, None])[:, 0]
    return costs.masked_fill(~labelled, 0).sum() / max(int(labelled.sum()), 1)


def by_one_hot(logits, masks):
    classes = torch.arange(logits.shape[1])[:, None, None]
    true = masks[:, None] == classes  # void is none of them
    return -(logits.log_softmax(1) * true).sum() / true.sum().clamp(min=1)


def four_groups(model, head, rate, weight_decay):
    groups = {}
    in_head = {id(p) for p in head.parameters()}
    for p in filter(lambda p: p.requires_grad, model.parameters()):
        key = (10 * rate if id(p) in in_head else rate, weight_decay if p.dim() > 1 else 0)
        groups.setdefault(key, []).append(p)
    return [{"params": ps, "lr": lr, "weight_decay": wd} for (lr, wd), ps in groups.items()]


RIGHT = {
    "loss_of_the_whole": [in_a_loop],
    "labelled_cross_entropy": [by_logsumexp, by_one_hot],
    "fine_tuning_groups": [four_groups],
}

WRONG = {
    "loss_of_the_whole": [
        (plain_mean, "plain mean of the parts"),
        (without_background, "Background, index 0, seems to be left out"),
        (counts_void, "A part with more void counts more"),
        (forgets_to_divide, "the sum over all labelled pixels"),
        (nan_for_void, "zero divided by zero"),
        (only_where_something_is_wrong, "the first part is right everywhere"),
        (counts_in_bytes, "8 bits hold 255"),
        (void_part_counts_one, "For a part that is all void"),
    ],
    "warm_up_then_poly": [
        (starts_at_zero, "changes nothing"),
        (both_at_once, "below the straight line"),
        (falls_from_the_start, "drops from 1"),
        (last_step_wasted, "is wasted"),
        (always_divides, "Division by zero"),
        (falls_straight, "falls in a straight line"),
        (power_of_what_is_over, "the other way round"),
        (one_step_too_long, "above the highest rate"),
    ],
    "labelled_cross_entropy": [
        (void_as_an_index, "no channel 255"),
        (divides_by_all, "more void, lower loss"),
        (void_is_background, "if void were class 0"),
        (void_is_the_last_class, "if void were the last class"),
        (mean_of_means, "the mean of each image"),
        (over_the_columns, "Which one holds the classes"),
        (negative, "Your loss is negative"),
        (cut_off, "it has no gradient"),
        (log_of_softmax, "exp(−600)"),
        (clipped, "A probability that is clipped"),
        (nan_where_all_is_void, "makes every weight NaN"),
        (torchs_own, "torch's own cross-entropy"),
        (pythons_zero, "Expected a tensor for an image that is all void"),
        (new_zero, "hangs on no logits"),
        (in_bits, "You count in bits"),
        (background_left_out, "Background, index 0, seems not to count"),
        (mean_of_classes, "the mean of each class"),
    ],
    "fine_tuning_groups": [
        (biases_by_name, "Do names tell"),
        (all_decay, "Pulling a bias"),
        (one_rate, "learns no faster"),
        (with_frozen, "0.0.weight is frozen"),
        (frozen_only_in_the_body, "1.2.bias is frozen"),
        (kernels_have_four_dimensions, "is a kernel, and gets no weight decay"),
        (frozen_by_its_gradient, "does not take your groups"),
        (ten_times_the_decay, "For weight_decay of"),
        (head_twice, "in two groups"),
        (head_only, "in no group"),
        (compares_tensors, "number by number"),
        (other_way_round, "gets the rate of the head"),
        (rate_of_the_head, "a tenth of `rate`"),
    ],
    "resume_point": [
        (living, "living tensors"),
        (without_statistics, "running statistics"),
        (only_the_seed, "A seed only says"),
        (only_the_settings, "starts cold"),
        (the_things_themselves, "not the thing itself"),
        (no_generator, "Expected a dict with the keys"),
        (generator_begins_anew, "other losses from step"),
        (next_step, "After four steps"),
        (draws_first, "draws from the generator"),
        (in_evaluation, "switches the model to evaluation"),
        (in_halves, "as float16"),
    ],
}
