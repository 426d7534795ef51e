"""An exercise of chapter 4: a test that recognises a wrong port of the patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.models import patch_attention, pool_patches

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Port = Callable[[Tensor, Tensor], Tensor]
Tester = Callable[[Port], Any]
CLOSE = 1e-4


def port_is_right(port: Port) -> bool:
    """Whether a function averages patches as with align_corners=True in both calls: the book's own answer.

    >>> port_is_right(lambda theta, maps: pool_patches(patch_attention(theta[:, None], *maps.shape[-2:]), maps)[:, 0])
    True
    """
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(5, 3, 6, 4, generator=generator)
    theta = torch.eye(2, 3) * 0.5 + 0.3 * torch.randn(5, 2, 3, generator=generator)
    return torch.allclose(port(theta, maps), _sampled(theta, maps), atol=CLOSE)


def _sampled(theta: Tensor, maps: Tensor, lay: bool = True, read: bool = True, **options: Any) -> Tensor:
    """The sampler's way: (B, 2, 3), (B, C, H, W) -> (B, C)."""
    grid = F.affine_grid(theta, list(maps.shape), align_corners=lay)
    return F.grid_sample(maps, grid, align_corners=read, **options).mean((2, 3))


def _says(tester: Tester, port: Port) -> bool:
    """What the answer says of a port, as a truth value."""
    try:
        said = tester(port)
    except (RuntimeError, ValueError) as error:
        words = "A port takes theta of shape (B, 2, 3) and maps of shape (B, C, H, W), with the same B."
        raise Wrong(f"{words} Yours was called with something that PyTorch refuses: {error}") from error
    truth = np.asarray(said)
    is_truth = truth.dtype == np.bool_ and truth.size == 1
    expect(is_truth, f"True or False is expected, but yours returns {said}. Which difference is larger than rounding?")
    return bool(truth.item())


def _attended(theta: Tensor, maps: Tensor) -> Tensor:
    """The way of the attention map."""
    return pool_patches(patch_attention(theta[:, None], *maps.shape[-2:]), maps)[:, 0]


def accepts_a_right_port(tester: Tester) -> None:
    """Both ways of the chapter are right."""
    right, wrong = _says(tester, _sampled), _says(tester, lambda theta, maps: _sampled(theta, maps, True, False))
    hint = "The right port is refused and the wrong one of the section Break it is accepted. Is the answer reversed?"
    expect(right or not wrong, hint)
    hint = "A right port is refused. Which values of align_corners does your own computation use?"
    expect(right, hint)


def tolerates_rounding(tester: Tester) -> None:
    """The attention map differs from the sampler by rounding."""
    hint = "A port by attention maps is refused, although it differs from the sampler by 0.0000001 only. Allow for"
    expect(_says(tester, _attended), f"{hint} rounding.")


def refuses_both_flags_false(tester: Tester) -> None:
    """Both calls with PyTorch's default."""
    hint = "A port with both flags False passes. For the whole map it gives the same as a right port, and it loses mass"
    wrong = _says(tester, lambda theta, maps: _sampled(theta, maps, False, False))
    expect(not wrong, f"{hint} at the edge only. Which theta shows the difference?")


def refuses_the_sampler_alone(tester: Tester) -> None:
    """True for the grid and False for the sampler."""
    wrong = _says(tester, lambda theta, maps: _sampled(theta, maps, True, False))
    expect(not wrong, "The port of the section Break it passes, which a map of ones would have shown.")


def refuses_the_grid_alone(tester: Tester) -> None:
    """False for the grid and True for the sampler: all masses are 1, and patches are a little too small."""
    hint = (
        "A port with False for the grid and True for the sampler passes. Its masses are all 1, and the middle of each"
    )
    wrong = _says(tester, lambda theta, maps: _sampled(theta, maps, False, True))
    expect(not wrong, f"{hint} patch is right, but the patches are too small. On which map does their size matter?")


def refuses_another_padding(tester: Tester) -> None:
    """Cells outside of the map count as zero."""
    hint = "A port that repeats the border of the map outside of it passes. No point of your patches lies outside."
    expect(not _says(tester, lambda theta, maps: _sampled(theta, maps, padding_mode="border")), hint)


def refuses_missing_shear(tester: Tester) -> None:
    """All six numbers count."""
    upright = torch.tensor([[1.0, 0, 1], [0, 1, 1]])
    hint = "A port that ignores the shear of theta passes. All of your patches are upright."
    expect(not _says(tester, lambda theta, maps: _sampled(theta * upright, maps)), hint)


def refuses_small_faults(tester: Tester) -> None:
    """A fault in one channel, or of one percent."""
    hint = "A port whose averages are one percent too small passes. Your tolerance hides such a fault."
    expect(not _says(tester, lambda theta, maps: 0.99 * _sampled(theta, maps)), hint)


def refuses_a_sideways_fault(tester: Tester) -> None:
    """A fault along x."""

    def sideways(theta: Tensor, maps: Tensor) -> Tensor:
        grid = F.affine_grid(theta, list(maps.shape), align_corners=True)
        wrong = F.affine_grid(theta, list(maps.shape), align_corners=False)
        both = torch.stack([wrong[..., 0], grid[..., 1]], -1)
        return F.grid_sample(maps, both, align_corners=True).mean((2, 3))

    hint = "A port passes that is right along y and wrong along x. Does your map vary from left to right?"
    expect(not _says(tester, sideways), hint)


def some_port(draw: Draw) -> tuple[Port, bool]:
    """A port, and whether it is right: one of the two right ways, or one with a fault of a random kind."""
    kind, row, column = int(draw.integers(6)), int(draw.integers(2)), int(draw.integers(3))
    gain = 1 + float(draw.uniform(0.05, 0.3)) * (1 if draw.random() < 0.5 else -1)
    padding, mode = ("border", "reflection")[row], ("bilinear", "nearest")[column > 0]

    def one_number_scaled(theta: Tensor, maps: Tensor) -> Tensor:
        factor = torch.ones(2, 3)
        factor[row, column] = gain
        return _sampled(theta * factor, maps)

    def one_number_dropped(theta: Tensor, maps: Tensor) -> Tensor:
        theta = theta.clone()
        theta[:, row, column] = torch.eye(2, 3)[row, column]
        return _sampled(theta, maps)

    ports: tuple[Port, ...] = (
        lambda theta, maps: _sampled(theta, maps, mode=mode, padding_mode=padding),
        lambda theta, maps: gain * _sampled(theta, maps),
        one_number_scaled,
        one_number_dropped,
        _attended,
        _sampled,
    )
    return ports[kind], kind > 3


EXERCISES = (
    Exercise(
        "port_is_right",
        4,
        port_is_right,
        (
            accepts_a_right_port,
            tolerates_rounding,
            refuses_the_sampler_alone,
            refuses_both_flags_false,
            refuses_the_grid_alone,
            refuses_missing_shear,
            refuses_a_sideways_fault,
            refuses_another_padding,
            refuses_small_faults,
            agrees(
                lambda port, right: right,
                some_port,
                given=lambda port, right: (port,),
                view=lambda said, *_: str(np.asarray(said).item()),
                times=60,
                hint="This one was right, or had a fault in one number of theta, in the size of the averages, in the "
                "padding, or in the mode of the sampler. Do all six numbers of your theta count?",
            ),
        ),
        example=lambda: (_sampled,),
        plain=True,
    ),
)
