"""Run a learner's function, catch whatever it does, and answer with one message.

The author of a check writes a function that calls the learner's function with `call` and raises
`Hint` when it finds a fault:

    @exercise(notebook="03", stars=1, minutes=5)
    def enlarged_size(function):
        for n, kernel, stride, padding in ...:
            found = call(function, n, kernel, stride, padding)
            if found == ...: raise Hint("You add the padding. In which direction does it ...?")
            expect_equal(found, expected, f"n = {n}, kernel = {kernel}")
"""

import contextlib
import ctypes
import difflib
import io
import numbers
import textwrap
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from seglab.exercises import records

NOT_WRITTEN, PASSES, NOT_RIGHT = "not written yet", "passes", "not right yet"
SIGNS = {NOT_WRITTEN: "○", PASSES: "✓", NOT_RIGHT: "✗"}
WIDTH = 92  # characters of a message's line
PRINTED = 5  # lines of the learner's own prints that a message repeats
SHOWN = 12  # numbers of a tensor that a message can hold


class Hint(Exception):
    """What is wrong, as a symptom and a direction; ends the check."""


class LearnersError(Exception):
    """The learner's function raised `__cause__`."""


class TimeIsUp(BaseException):
    """Planted into a check that runs too long; no `except Exception` can swallow it."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: its check, and what the notebook's heading says about it.

    Attributes:
        name: of the check, as in `check.NAME`.
        notebook: two digits, such as `"03"`.
        stars: 1 (one idea, a line or two) to 3 (several ideas at once).
        minutes: how long a learner may need; an estimate.
        body: takes the learner's function; raises `Hint` if that is wrong, else returns.
        seconds: how long the whole check may take.
    """

    name: str
    notebook: str
    stars: int
    minutes: int
    body: Callable
    seconds: float


EXERCISES: dict[str, Exercise] = {}  # in the order of the notebooks


def exercise(notebook: str, stars: int, minutes: int, seconds: float = 20) -> Callable:
    """Decorate the body of a check: its name becomes the name of the exercise."""

    def register(body: Callable) -> Callable:
        name = body.__name__
        if name in EXERCISES:
            raise ValueError(f"there are two exercises named {name}")
        EXERCISES[name] = Exercise(name, notebook, stars, minutes, body, seconds)
        return body

    return register


@dataclass(frozen=True)
class Outcome:
    """What a check found: one of `NOT_WRITTEN`, `PASSES`, `NOT_RIGHT`, and a message."""

    status: str
    message: str = ""


class Checks:
    """`check.NAME(function)` runs one check and prints what it found."""

    def __getattr__(self, name: str) -> Callable:
        if name not in EXERCISES:
            near = difflib.get_close_matches(name, EXERCISES, n=3)
            suggestion = f"did you mean {' or '.join(near)}?" if near else "press Tab after check."
            raise AttributeError(f"there is no exercise {name}; {suggestion}")

        def run(function) -> None:
            outcome = examine(name, function)
            print(text(name, outcome))

        run.__name__ = name
        run.__doc__ = f"Check your function for the exercise {name}."
        return run

    def __dir__(self) -> list[str]:
        return list(EXERCISES)


check = Checks()


def text(name: str, outcome: Outcome) -> str:
    """The lines that `check.NAME` prints; a pass is recorded."""
    first = f"{SIGNS[outcome.status]} {name}: {outcome.status}"
    if outcome.status == PASSES:
        return f"{first}. {records.record(EXERCISES[name], EXERCISES.values())}"
    if not outcome.message:
        return first
    lines = [
        textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
        for line in outcome.message.splitlines()
    ]
    return "\n".join([f"{first}.", *lines])


def examine(name: str, function) -> Outcome:
    """Run one check on a function; whatever happens, an `Outcome` comes back."""
    found = EXERCISES[name]
    if not callable(function):
        return Outcome(
            NOT_RIGHT,
            f"The check wants your function itself, and got {described(function)}. Give it "
            f"`{name}`, not `{name}(...)`.",
        )
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            in_time(lambda: found.body(function), found.seconds)
    except Hint as hint:
        outcome = Outcome(NOT_RIGHT, str(hint))
    except LearnersError as error:
        outcome = raised(error)
    except TimeIsUp:
        outcome = Outcome(
            NOT_RIGHT,
            f"It did not finish within {found.seconds:g} seconds and was stopped. Is there a loop "
            "whose condition never becomes false, or one that visits far more than it must?",
        )
    except Exception as error:  # the check could not work with what it got
        outcome = Outcome(
            NOT_RIGHT,
            f"The check cannot work with what came back ({type(error).__name__}: {error}). Compare "
            "the type and the shape of your result with what the exercise asks for.",
        )
    else:
        outcome = Outcome(PASSES)
    if outcome.status == NOT_RIGHT and printed.getvalue().strip():
        lines = printed.getvalue().strip().splitlines()
        more = ["…"] if len(lines) > PRINTED else []
        shown = "\n".join(["It printed:", *lines[:PRINTED], *more])
        outcome = Outcome(NOT_RIGHT, f"{outcome.message}\n{shown}")
    return outcome


def raised(error: LearnersError) -> Outcome:
    """The outcome of a function that ended with an exception."""
    cause = error.__cause__
    if type(cause) is NotImplementedError and not str(cause):  # torch's own have a text
        return Outcome(NOT_WRITTEN)
    inner = traceback.extract_tb(cause.__traceback__)[1:]  # without `call`
    own = [frame for frame in inner if frame.filename == inner[0].filename]
    where = f" in the line `{own[-1].line}`" if own and own[-1].line else ""
    said = f": {cause}" if str(cause) else ""
    return Outcome(NOT_RIGHT, f"It ended with {type(cause).__name__}{said}{where}.{error}")


def in_time(work: Callable, seconds: float) -> None:
    """Run `work` in a thread of its own; after `seconds` an exception is planted into it.

    That works on every system, but only between two steps of Python: one single call into a
    library that never returns cannot be stopped.

    Raises:
        TimeIsUp: it was stopped.
        BaseException: whatever `work` raised.
    """
    errors = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:  # also after the learner has pressed "interrupt the kernel"
        stopped = thread.is_alive()
        for _ in range(50):
            if not thread.is_alive():
                break
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(TimeIsUp)
            )
            thread.join(0.1)
    if stopped:
        raise TimeIsUp
    if errors:
        raise errors[0]


# ---------------------------------------------------------------- what the checks are made of


def call(function: Callable, *inputs, **named):
    """Call the learner's function, or a network that it has made.

    Returns:
        what it returned.

    Raises:
        LearnersError: it raised something.
        Hint: it changed its inputs, or returned nothing.
    """
    given = [*inputs, *named.values()]
    before = [copied(value) for value in given]
    try:
        result = function(*inputs, **named)
    except Exception as error:
        with_inputs = ", ".join(map(described, given))
        raise LearnersError(f"\nThe inputs were: {with_inputs}" if given else "") from error
    for value, old in zip(given, before, strict=True):
        if old is not None and not same(value, old):
            raise Hint(
                "Your function changes its input in place. Whoever called it still needs that: "
                "work on a copy (`.clone()`), or on new tensors."
            )
    if result is None:
        raise Hint("Your function returns nothing (None). Is there a `return` at its end?")
    return result


class Watch(TorchDispatchMode):
    """Notes which of torch's operations run inside: `operations`, pairs of name and arguments.

    These are the elementary operations of ATen, so it does not matter how a learner gets to them:
    by a function, a layer, a method, or in a backward pass. Arguments have their names, and those
    that were left out are missing.
    """

    def __init__(self):
        super().__init__()
        self.operations: list[tuple[str, dict]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        names = [argument.name for argument in function._schema.arguments]
        given = {**dict(zip(names, args, strict=False)), **(kwargs or {})}
        self.operations.append((function._schema.name.removeprefix("aten::"), given))
        return function(*args, **(kwargs or {}))


@contextlib.contextmanager
def without(refused: Callable[[str, dict], bool], hint: str):
    """`with without(refused, hint): found = call(...)`: a task forbids an operation.

    Args:
        refused: takes an operation's name and arguments, as in `Watch`, and says whether the task
            forbids it: `lambda name, given: name.startswith("nll_loss")`.
        hint: what to tell a learner who uses it all the same.

    Raises:
        Hint: at the end of the block, if such an operation ran in it.
    """
    with Watch() as watch:
        yield
    if any(refused(name, given) for name, given in watch.operations):
        raise Hint(hint)


def copied(value):
    """A copy of an array or tensor, to see later whether it was changed; else None."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray | list | dict) else None


def same(one, other) -> bool:
    """Are two values equal, element by element? NaN equals NaN."""
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and torch.equal(
            torch.nan_to_num(one.detach()), torch.nan_to_num(other)
        )
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and bool(np.all((one == other) | (one != one)))
    return one == other


def expect_tensor(found, shape: tuple | None = None, dtype=None, given: str = "") -> None:
    """Is this a tensor of the right shape and type?

    Args:
        found: what the learner's function returned.
        shape: its shape as it should be; None: any.
        dtype: its type, or a tuple of types; None: any.
        given: the input in words, for the message.

    Raises:
        Hint: it is something else.
    """
    for_this = f" for {given}" if given else ""
    if not isinstance(found, torch.Tensor):
        raise Hint(f"Expected a tensor{for_this}; your function returns {described(found)}.")
    if shape is not None and tuple(found.shape) != tuple(shape):
        raise Hint(
            f"The shape is {tuple(found.shape)}{for_this}; it should be {tuple(shape)}. Which "
            "step makes a dimension too many, too few, too large or too small?"
        )
    types = dtype if isinstance(dtype, tuple) else (dtype,)
    if dtype is not None and found.dtype not in types:
        names = " or ".join(str(one).removeprefix("torch.") for one in types)
        raise Hint(
            f"The numbers are {str(found.dtype).removeprefix('torch.')}{for_this}; they should "
            f"be {names}."
        )


def close(found, expected, tolerance: float = 1e-4) -> bool:
    """Are these the same numbers, up to rounding? NaN equals NaN; shapes must be equal."""
    found, expected = (
        torch.as_tensor(value).detach().to(torch.float64) for value in (found, expected)
    )
    return found.shape == expected.shape and torch.allclose(
        found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def expect_equal(found, expected, given: str, tolerance: float = 1e-4) -> None:
    """The last test of a check: the numbers themselves, when no special fault was recognised.

    Raises:
        Hint: they differ; the message shows both.
    """
    if not isinstance(found, torch.Tensor | np.ndarray | numbers.Number | list | tuple):
        raise Hint(f"For {given} your function returns {described(found)}; expected numbers.")
    if not close(found, expected, tolerance):
        raise Hint(f"For {given} {difference(found, expected, tolerance)}")


def difference(found, expected, tolerance: float) -> str:
    """How two results differ: both in full, or for many numbers where the first difference is."""
    one, other = (torch.as_tensor(value).detach() for value in (found, expected))
    if one.shape != other.shape or one.numel() <= SHOWN:
        return f"your function returns {described(found)}; right would be {described(expected)}."
    one, other = one.to(torch.float64), other.to(torch.float64)
    wrong = ~torch.isclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
    place = wrong.nonzero()[0].tolist()
    return (
        f"{int(wrong.sum())} of {one.numel()} numbers are not right. The first is at {place}: "
        f"{one[tuple(place)]:.4g}; right would be {other[tuple(place)]:.4g}."
    )


def described(value) -> str:
    """A value in few words: small tensors with their numbers, large ones by shape and type."""
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "tensor" if isinstance(value, torch.Tensor) else "array"
        numbers_ = torch.as_tensor(np.asarray(value.detach()) if kind == "tensor" else value)
        if numbers_.numel() <= SHOWN:
            return str(rounded(numbers_.tolist()))
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a {kind} of shape {tuple(value.shape)}, {dtype}"
    if isinstance(value, torch.nn.Module):
        return f"a {type(value).__name__}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return textwrap.shorten(repr(value), 80, placeholder=" …")


def rounded(value):
    """Numbers of nested lists, with four digits at most."""
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
