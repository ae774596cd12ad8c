"""The exercises of notebook 03: transposed convolution."""

from seglab.exercises.checking import Hint, LearnersError, call, exercise, expect_equal


@exercise(notebook="03", stars=1, minutes=5)
def padding_for(function):
    """The padding that makes the output exactly stride times as large."""
    for kernel, stride in [(4, 2), (2, 2), (16, 8), (64, 32), (5, 3), (3, 1)]:
        found = call(function, kernel, stride)
        given = f"kernel_size = {kernel}, stride = {stride}"
        if found == kernel - stride and kernel != stride:
            raise Hint(
                f"For {given} you return {found}. That many rows go in all; padding is counted at "
                "each side."
            )
        right = (kernel - stride) // 2
        if found == (kernel - 1) // 2 != right:
            raise Hint(
                f"For {given} you return {found}, which keeps the size in an ordinary convolution. "
                "Set the size that the transposed one makes equal to stride · n, and solve for p."
            )
        expect_equal(found, right, given)
    for kernel, stride in [(3, 2), (4, 3)]:
        try:
            found = call(function, kernel, stride)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                continue
            raise
        raise Hint(
            f"For kernel_size = {kernel}, stride = {stride} no padding will do: the rule gives a "
            f"half. Your function returns {found}; it should raise a ValueError."
        )
