"""Wrong answers to the exercises of notebook 03, each with words of the hint that it must get."""


def both_sides_at_once(kernel_size, stride):
    return kernel_size - stride


def never_refuses(kernel_size, stride):
    return (kernel_size - stride) // 2


def of_a_convolution(kernel_size, stride):
    return (kernel_size - 1) // 2


WRONG = {
    "padding_for": [
        (both_sides_at_once, "counted at each side"),
        (never_refuses, "no padding will do"),
        (of_a_convolution, "ordinary convolution"),
    ],
}
