"""Transposed convolution, sizes and bilinear kernels against torch's own operations."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from seglab.upsampling import (
    BilinearUpsampling,
    bilinear_kernel,
    check_size,
    conv_matrix,
    crop,
    enlarge,
    output_size,
    transposed_conv2d,
    transposed_conv_matrix,
)


@given(st.integers(1, 9), st.integers(1, 8), st.integers(1, 5), st.integers(0, 4))
def test_output_size_is_torchs(size, kernel_size, stride, padding):
    expected = stride * (size - 1) + kernel_size - 2 * padding
    assume(expected >= 1)
    x, kernel = torch.zeros(1, 1, size, size), torch.zeros(1, 1, kernel_size, kernel_size)
    made = F.conv_transpose2d(x, kernel, stride=stride, padding=padding)
    assert output_size(size, kernel_size, stride, padding) == made.shape[-1] == made.shape[-2]


# ---------------------------------------------------------------- transposed convolution

TOY = torch.tensor([[0.0, 1.0], [2.0, 3.0]])

# Channels in and out, height and width of x, of the kernel, stride, padding, seed.
SHAPES = st.tuples(
    *(st.integers(1, 3), st.integers(1, 3)),
    *(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5)),
    *(st.integers(1, 4), st.integers(0, 3), st.integers(0, 99)),
)


def random_case(shapes):
    """x and kernel in double precision, stride and padding; an impossible one is skipped."""
    inputs, outputs, height, width, h, w, stride, padding, seed = shapes
    for size, k in ((height, h), (width, w)):
        assume(stride * (size - 1) + k - 2 * padding >= 1)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(inputs, height, width, generator=generator, dtype=torch.float64)
    kernel = torch.randn(inputs, outputs, h, w, generator=generator, dtype=torch.float64)
    return x, kernel, stride, padding


@given(SHAPES)
def test_stamping_is_torchs_transposed_convolution(shapes):
    x, kernel, stride, padding = random_case(shapes)
    made = transposed_conv2d(x, kernel, stride, padding)
    expected = F.conv_transpose2d(x[None], kernel, stride=stride, padding=padding)[0]
    assert made.dtype == torch.float64
    torch.testing.assert_close(made, expected)


@given(SHAPES)
def test_stamping_is_the_gradient_of_convolution(shapes):
    """What autograd sends back through `F.conv2d` with the same kernel, stride and padding."""
    x, kernel, stride, padding = random_case(shapes)
    size = [
        output_size(n, k, stride, padding)
        for n, k in zip(x.shape[1:], kernel.shape[2:], strict=True)
    ]
    picture = torch.zeros(kernel.shape[1], *size, dtype=torch.float64, requires_grad=True)
    convolved = F.conv2d(picture[None], kernel, stride=stride, padding=padding)[0]
    assert convolved.shape == x.shape
    (gradient,) = torch.autograd.grad(convolved, picture, x)
    torch.testing.assert_close(transposed_conv2d(x, kernel, stride, padding), gradient)


@given(SHAPES)
def test_stamping_is_the_transposed_matrix_of_convolution(shapes):
    x, kernel, stride, padding = random_case(shapes)
    x, kernel = x[0], kernel[0, 0]
    made = transposed_conv2d(x, kernel, stride, padding)
    v = conv_matrix(kernel, tuple(made.shape), stride, padding)
    assert v.shape == (x.numel(), made.numel())
    assert torch.equal(transposed_conv_matrix(kernel, tuple(x.shape), stride, padding), v.T)
    torch.testing.assert_close((v.T @ x.flatten()).view_as(made), made)


@given(SHAPES)
def test_the_matrix_of_convolution_is_torchs_convolution(shapes):
    _, _, height, width, h, w, stride, padding, _ = shapes
    assume(h <= height + 2 * padding and w <= width + 2 * padding)
    generator = torch.Generator().manual_seed(shapes[-1])
    x = torch.randn(height, width, generator=generator, dtype=torch.float64)
    kernel = torch.randn(h, w, generator=generator, dtype=torch.float64)
    expected = F.conv2d(x[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]
    made = conv_matrix(kernel, (height, width), stride, padding) @ x.flatten()
    torch.testing.assert_close(made.view_as(expected), expected)


@pytest.mark.parametrize(
    ("stride", "padding", "expected"),
    [
        (1, 0, [[0, 0, 1], [0, 4, 6], [4, 12, 9]]),
        (2, 0, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 2, 0, 3], [4, 6, 6, 9]]),
        (1, 1, [[4]]),
    ],
)
def test_two_by_two_by_hand(stride, padding, expected):
    made = transposed_conv2d(TOY, TOY, stride, padding)
    assert torch.equal(made, torch.tensor(expected, dtype=torch.float32))
    as_matrix = transposed_conv_matrix(TOY, (2, 2), stride, padding) @ TOY.flatten()
    assert torch.equal(as_matrix, made.flatten())


def test_the_matrix_of_the_two_by_two_kernel_by_hand():
    expected = [
        [0, 1, 0, 2, 3, 0, 0, 0, 0],
        [0, 0, 1, 0, 2, 3, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 2, 3, 0],
        [0, 0, 0, 0, 0, 1, 0, 2, 3],
    ]
    assert conv_matrix(TOY, (3, 3)).tolist() == expected


@pytest.mark.parametrize(
    ("x", "kernel"),
    [
        ((2, 3, 3), (3, 1, 2, 2)),
        ((3, 3), (1, 1, 2, 2)),
        ((1, 3, 3), (2, 2)),
        ((1, 1, 3, 3), (2, 2)),
    ],
)
def test_stamping_refuses_shapes_that_do_not_fit(x, kernel):
    with pytest.raises(ValueError, match=r"in_channels.*found"):
        transposed_conv2d(torch.zeros(x), torch.zeros(kernel))


def test_a_padding_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="padding 2 cuts everything off"):
        transposed_conv2d(TOY, TOY, padding=2)
    with pytest.raises(ValueError, match="padding 2 cuts everything off"):
        transposed_conv_matrix(TOY, (2, 2), padding=2)


def test_matrices_refuse_channels_and_kernels_that_are_too_large():
    for function in (conv_matrix, transposed_conv_matrix):
        with pytest.raises(ValueError, match=r"kernel \[h, w\]; found \[1, 1, 2, 2\]"):
            function(TOY[None, None], (3, 3))
    with pytest.raises(ValueError, match="kernel of 2 x 2 does not fit into the padded 1 x 5"):
        conv_matrix(TOY, (1, 5))
    assert conv_matrix(TOY, (1, 5), padding=1).shape == (2 * 6, 5)


# ---------------------------------------------------------------- bilinear upsampling


@given(st.integers(1, 50), st.integers(1, 16))
def test_an_even_kernel_with_half_padding_is_exactly_times_stride(size, half):
    stride = 2 * half
    assert output_size(size, 2 * stride, stride, half) == stride * size


@pytest.mark.parametrize(
    "arguments", [(0, 3), (3, 0), (3, 3, 0), (3, 3, 1, -1), (1, 2, 1, 1), (2, 3, 1, 2)]
)
def test_output_size_refuses_nonsense(arguments):
    with pytest.raises(ValueError):
        output_size(*arguments)


@pytest.mark.parametrize("factor", [2, 4, 6, 8, 16, 32])
@pytest.mark.parametrize(("height", "width"), [(3, 7), (6, 4)])
def test_bilinear_kernel_is_interpolation_inside_and_fades_at_the_border(factor, height, width):
    x = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(height)) + 1
    kernel = bilinear_kernel(3, 2 * factor)
    ours = F.conv_transpose2d(x, kernel, stride=factor, padding=factor // 2, groups=3)
    torchs = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    assert ours.shape == torchs.shape
    margin = factor // 2
    inner = (..., slice(margin, -margin), slice(margin, -margin))
    torch.testing.assert_close(ours[inner], torchs[inner], rtol=1e-5, atol=1e-5)
    for edge in (ours[..., 0, :] < torchs[..., 0, :], ours[..., -1] < torchs[..., -1]):
        assert edge.all()  # a positive picture gets darker at its border
    row = ours[..., :margin, margin:-margin] / torchs[..., :margin, margin:-margin]
    assert (row.diff(dim=-2) > 0).all()  # more so the nearer to it


@given(st.integers(1, 33), st.integers(1, 4))
def test_bilinear_kernel_shape_symmetry_and_sum(size, channels):
    kernel = bilinear_kernel(channels, size)
    assert kernel.shape == (channels, 1, size, size) and kernel.dtype == torch.float32
    torch.testing.assert_close(kernel, kernel.flip(-1))
    torch.testing.assert_close(kernel, kernel.transpose(-1, -2))
    assert (kernel > 0).all() and (kernel <= 1).all()
    assert torch.equal(kernel, kernel[:1].expand_as(kernel))
    if size % 2 == 0:  # every output pixel receives weights that sum to one
        stride = size // 2
        phases = kernel[0, 0].unfold(0, stride, stride).unfold(1, stride, stride)
        torch.testing.assert_close(phases.sum((0, 1)), torch.ones(stride, stride))


def test_bilinear_kernel_by_hand():
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(1, 4)[0, 0], torch.outer(tent, tent))
    tent = torch.tensor([0.5, 1.0, 0.5])
    torch.testing.assert_close(bilinear_kernel(1, 3)[0, 0], torch.outer(tent, tent))


@pytest.mark.parametrize("arguments", [(0, 4), (3, 0), (-1, 4)])
def test_bilinear_kernel_refuses_nonsense(arguments):
    with pytest.raises(ValueError, match="at least 1"):
        bilinear_kernel(*arguments)


@pytest.mark.parametrize("factor", [2, 4, 8, 32])
@pytest.mark.parametrize("learned", [True, False])
def test_the_layer_starts_bilinear_and_learns_when_told(factor, learned):
    layer = BilinearUpsampling(5, factor, learned)
    x = torch.randn(2, 5, 4, 6, requires_grad=True)
    y = layer(x)
    assert y.shape == (2, 5, 4 * factor, 6 * factor)
    margin = factor // 2
    inner = (..., slice(margin, -margin), slice(margin, -margin))
    expected = F.interpolate(x, scale_factor=factor, mode="bilinear")
    torch.testing.assert_close(y[inner], expected[inner], rtol=1e-4, atol=1e-5)
    y.square().sum().backward()
    assert (layer.weight.grad is not None) == learned
    assert x.grad is not None
    assert sum(p.numel() for p in layer.parameters()) == 5 * (2 * factor) ** 2  # depthwise, no bias


@pytest.mark.parametrize("factor", [0, 1, 3, -2])
def test_the_layer_refuses_odd_factors(factor):
    with pytest.raises(ValueError, match="even factor"):
        BilinearUpsampling(3, factor)


# ---------------------------------------------------------------- sizes


def test_enlarging_takes_pixels_as_squares():
    """Four pixels from two: the centres lie a quarter of a large pixel from each other's edges."""
    row = enlarge(torch.tensor([[[[0.0, 8.0]]]]), (1, 4), 2)
    assert row.flatten().tolist() == [0, 2, 6, 8]
    x = torch.rand(2, 3, 5, 7)
    assert torch.equal(enlarge(x, (5, 7), 1), x)
    made = enlarge(x, (10, 14), 2)
    torch.testing.assert_close(made, F.interpolate(x, scale_factor=2.0, mode="bilinear"))
    torch.testing.assert_close(made.flip(-1), enlarge(x.flip(-1), (10, 14), 2))


def test_on_a_pixel_enlarging_keeps_the_values():
    """Values lie on pixels 0, 2, 4; the last one goes on."""
    row = enlarge(torch.tensor([[[[0.0, 8.0, 2.0]]]]), (1, 6), 2, offset=0)
    assert row.flatten().tolist() == [0, 4, 8, 5, 2, 2]
    late = enlarge(torch.tensor([[[[0.0, 8.0, 2.0]]]]), (1, 6), 2, offset=3)
    assert late.flatten().tolist() == [0, 0, 0, 0, 4, 8]


def tent(size: int, top: float, stride: int) -> torch.Tensor:
    return (1 - (torch.arange(size) - top).abs() / stride).clamp(min=0)


# Where ResNet and VGG-16 look at output strides 32, 16, 8 and between two of their levels.
DRAWN = [(2, 0), (2, 0.5), (4, 3.5), (4, 7), (8, 0), (8, 3.5), (8, 15.5), (16, 15.5), (32, 0)]


@pytest.mark.parametrize(("stride", "offset"), [*DRAWN, (32, 15.5), (16, 3), (4, 0.5)])
@pytest.mark.parametrize("lost", [0, 1, 7])
def test_an_impulse_is_drawn_with_its_top_where_it_is_told_to(stride, offset, lost):
    """Also at sizes that the stride does not divide."""
    impulse = torch.zeros(1, 2, 6, 7)
    impulse[0, 1, 3, 4] = 1
    height, width = 6 * stride - min(lost, stride - 1), 7 * stride - min(lost, stride - 1)
    drawn = enlarge(impulse, (height, width), stride, offset)
    assert drawn.shape == (1, 2, height, width) and not drawn[0, 0].any()
    rows, columns = (
        tent(size, stride * i + offset, stride) for size, i in ((height, 3), (width, 4))
    )
    torch.testing.assert_close(drawn[0, 1], torch.outer(rows, columns))


@pytest.mark.parametrize(("stride", "offset"), DRAWN)
def test_at_the_border_the_outer_values_go_on(stride, offset):
    x = torch.rand(1, 1, 4, 5, generator=torch.Generator().manual_seed(stride))
    drawn = enlarge(x, (4 * stride, 5 * stride), stride, offset)
    positions = [((torch.arange(n * stride) - offset) / stride).clamp(0, n - 1) for n in (4, 5)]
    shares = [
        (1 - (p[:, None] - torch.arange(n)).abs()).clamp(min=0)
        for p, n in zip(positions, (4, 5), strict=True)
    ]
    torch.testing.assert_close(drawn[0, 0], shares[0] @ x[0, 0] @ shares[1].T)


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("on_a_pixel", [True, False])
def test_the_layer_draws_an_impulse_where_enlarging_does(factor, on_a_pixel):
    impulse = torch.zeros(1, 1, 6, 7)
    impulse[0, 0, 3, 4] = 1
    offset = 0.0 if on_a_pixel else (factor - 1) / 2
    layer = BilinearUpsampling(1, factor, offset=offset)
    assert layer.weight.shape[-1] == 2 * factor - on_a_pixel  # taps
    made = layer(impulse)
    assert made.shape == (1, 1, 6 * factor, 7 * factor)
    torch.testing.assert_close(made, enlarge(impulse, made.shape[-2:], factor, offset))


def test_the_layer_refuses_other_offsets():
    with pytest.raises(ValueError, match=r"0 or \(factor - 1\) / 2 = 3.5; found 2"):
        BilinearUpsampling(1, 8, offset=2)


def test_crop_takes_the_upper_left_part():
    x = torch.arange(2 * 12.0).view(2, 1, 3, 4)
    assert torch.equal(crop(x, torch.zeros(5, 7, 2, 3)), x[:, :, :2, :3])
    assert torch.equal(crop(x, x), x)


@pytest.mark.parametrize("size", [(31, 32), (32, 31), (1, 500)])
def test_check_size_names_what_it_found(size):
    with pytest.raises(ValueError, match=f"at least 32 x 32 pixels.*{size[0]} x {size[1]}"):
        check_size(torch.zeros(1, 3, *size))


def test_check_size_accepts_32_pixels():
    check_size(torch.zeros(1, 3, 32, 32))
