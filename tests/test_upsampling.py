"""Sizes and bilinear kernels against torch's own operations."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from seglab.upsampling import BilinearUpsampling, bilinear_kernel, output_size


@given(st.integers(1, 9), st.integers(1, 8), st.integers(1, 5), st.integers(0, 4))
def test_output_size_is_torchs(size, kernel_size, stride, padding):
    expected = stride * (size - 1) + kernel_size - 2 * padding
    assume(expected >= 1)
    x, kernel = torch.zeros(1, 1, size, size), torch.zeros(1, 1, kernel_size, kernel_size)
    made = F.conv_transpose2d(x, kernel, stride=stride, padding=padding)
    assert output_size(size, kernel_size, stride, padding) == made.shape[-1] == made.shape[-2]


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
