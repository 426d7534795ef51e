"""Exercises of chapter 4: stripes for any P, and where a coordinate lies among the cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from paullite.models import stripes

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect

Stripes = Callable[[int], Any]
Place = Callable[[float, int, bool], Any]
CLOSE = 2e-3  # half precision is fine


def place(coordinate: float, cells: int, align_corners: bool) -> float:
    """The place among the cells, the first one's centre being 0: the book's own answer."""
    return (coordinate + 1) / 2 * (cells - 1) if align_corners else ((coordinate + 1) * cells - 1) / 2


def _theta(answer: Stripes, patches: int) -> NDArray[np.float64]:
    """What the reader's function gives, as an array, whatever it was."""
    found = answer(patches)
    return np.asarray(found.detach() if isinstance(found, torch.Tensor) else found, dtype=np.float64)


def _same(found: Any, expected: Any) -> bool:
    try:
        return bool(np.allclose(np.asarray(found, dtype=float), np.asarray(expected, dtype=float), atol=CLOSE))
    except ValueError:
        return False


def as_many_as_asked_for(answer: Stripes) -> None:
    """P patches, each 2x3."""
    for patches in (4, 7):
        shape = _theta(answer, patches).shape
        expect(len(shape) > 0 and shape[0] == patches, f"For P = {patches} the shape is {shape}. Does P stand in it?")
        expect(shape[1:] == (2, 3), f"For P = {patches} the shape is {shape}. Each patch has six numbers, 2x3.")


def across_all_of_x(answer: Stripes) -> None:
    """The row of x leaves x as it is, and y depends on v alone."""
    theta = _theta(answer, 4)
    slanted = f"Patch 0 is {theta[0].round(2).tolist()}: its x depends on v, or its y on u. Which row makes x?"
    expect(_same(theta[:, 0, 1], 0) and _same(theta[:, 1, 0], 0), slanted)
    expect(
        _same(theta[:, 0, 2], 0), "Your patches stand side by side. Stripes lie one below the other: y changes, not x."
    )
    expect(
        not _same(theta[:, 0, 0], 0), "Your scale of x is 0, so every patch is a line. Which scale leaves x as it is?"
    )
    wide = f"Patch 0 reaches from x = {-theta[0, 0, 0]:.2f} to {theta[0, 0, 0]:.2f}. A stripe keeps the full width."
    expect(_same(theta[:, 0, 0], 1), wide)


def equally_high(answer: Stripes) -> None:
    """Each stripe has a P-th of the height."""
    scale = _theta(answer, 4)[:, 1, 1]
    expect(_same(scale, scale[0]), f"The scales of y are {scale.round(2).tolist()}. They belong to heights: all equal.")
    expect(not _same(scale, 1), "Every stripe is as high as the whole map. You moved them; did you also shrink them?")
    expect(
        scale[0] < 1,
        "Your stripes are higher than the map. theta tells where to look, so a low stripe has a small scale.",
    )
    high = (
        f"Of 4 stripes each covers {100 * scale[0]:.0f} % of the height. The map is 2 high already, before the scale."
    )
    expect(_same(scale, 1 / 4), high)


def from_top_to_bottom(answer: Stripes) -> None:
    """The middles go down, each below the one before."""
    middles = _theta(answer, 4)[:, 1, 2]
    expect(
        not (np.diff(middles) < -CLOSE).all(),
        "Your first stripe is the lowest. y = -1 is the top, and y grows downwards.",
    )
    expect(
        bool((np.diff(middles) > CLOSE).all()),
        f"The middles are {middles.round(2).tolist()}: some coincide. Does a division drop its remainder?",
    )


def from_edge_to_edge(answer: Stripes) -> None:
    """The first begins at -1, the last ends at 1, neighbours touch; the only one of P = 1 is the whole map."""
    for patches in (4, 5, 1):
        theta = _theta(answer, patches)
        top, bottom = theta[:, 1, 2] - theta[:, 1, 1], theta[:, 1, 2] + theta[:, 1, 1]
        reach = f"For P = {patches} the stripes reach from {top[0]:.2f} to {bottom[-1]:.2f}."
        shifted = abs(top[0] + 1 - 2 / patches) < CLOSE and abs(bottom[-1] - 1 - 2 / patches) < CLOSE
        expect(not shifted, f"{reach} All lie one stripe too low. Does your p begin at 0?")
        expect(top[0] < -1 + CLOSE, f"{reach} Nobody looks at the top. Where does the range of y begin?")
        out = top[0] < -1 - CLOSE
        expect(
            not (out and bottom[-1] > 1 + CLOSE),
            f"{reach} They hang out at both ends: the outer middles lie too far out.",
        )
        expect(not out, f"{reach} All lie too high by the same amount. The shift moves the middle of a patch.")
        expect(_same(bottom[-1], 1), f"{reach} The last should end at the lower edge.")
        expect(_same(bottom[:-1], top[1:]), f"For P = {patches}, neighbours leave gaps or overlap.")


def between_and_beyond(answer: Place) -> None:
    """A place lies between cells, and outside stays outside."""
    found = float(answer(0.3, 9, True))
    whole = f"For the coordinate 0.3 you answer {found:.0f}, a whole cell. A place may lie between two cells."
    expect(abs(found - round(found)) > CLOSE, whole)
    same = abs(float(answer(1.5, 9, True)) - float(answer(1.0, 9, True))) < CLOSE
    expect(
        not same, "1.5 and 1 get the same place. A point outside the map stays outside; the sampler meets zeros there."
    )


def true_and_false_differ(answer: Place) -> None:
    """The flag is used, and the right way round."""
    yes, no = float(answer(-1.0, 9, True)), float(answer(-1.0, 9, False))
    same = abs(yes - no) < CLOSE and abs(float(answer(1.0, 9, True)) - float(answer(1.0, 9, False))) < CLOSE
    both = "align_corners changes nothing in your answer. It always takes -1 for"
    expect(not (same and abs(yes) < CLOSE), f"{both} the centre of the first cell.")
    expect(not (same and abs(yes + 0.5) < CLOSE), f"{both} the outer edge of the first cell.")
    exchanged = abs(yes + 0.5) < CLOSE and abs(no) < CLOSE
    expect(not exchanged, "You have True and False exchanged. With True, corners are aligned with centres of cells.")


def true_goes_from_centre_to_centre(answer: Place) -> None:
    """-1 is the first centre, 0, and 1 the last, cells - 1."""
    lasts = [float(answer(1.0, cells, True)) for cells in (9, 24)]
    expect(
        abs(lasts[0] - lasts[1]) > CLOSE,
        f"For 9 cells and for 24, 1 comes to {lasts[0]:.2f}. Does the number of cells stand in your answer?",
    )
    for cells in (9, 24):
        first, last = float(answer(-1.0, cells, True)), float(answer(1.0, cells, True))
        rule = f"With True and {cells} cells, -1 comes to {first:.2f} and 1 to {last:.2f}."
        steps = (last - first) / (cells - 1)
        expect(abs(steps - 2) > CLOSE, f"{rule} That is twice too far: the coordinate itself has a range of 2.")
        expect(abs(steps - 16) > CLOSE, f"{rule} These are pixels of the picture. Count cells of the map.")
        expect(abs(first + last) > CLOSE, f"{rule} You count from the middle. The first cell's centre is place 0.")
        expect(abs(last - first - cells) > CLOSE, f"{rule} How many steps are there from the first centre to the last?")
        expect(abs(first - 1) > CLOSE, f"{rule} The first cell is number 0 here, as in Python.")
        expect(_same((first, last), (0, cells - 1)), f"{rule} They should be the centres of the outer cells.")


def false_goes_from_edge_to_edge(answer: Place) -> None:
    """-1 is half a cell before the first centre, and 1 half a cell behind the last."""
    for cells in (9, 24):
        first, last = float(answer(-1.0, cells, False)), float(answer(1.0, cells, False))
        rule = f"With False and {cells} cells, -1 comes to {first:.2f} and 1 to {last:.2f}."
        expect(abs(first) > CLOSE, f"{rule} You count from the edge. Places count from the centre of the first cell.")
        expect(abs(first - 0.5) > CLOSE, f"{rule} The outer edge lies before the first centre, yours lies behind it.")
        expect(
            _same(last - first, cells), f"{rule} From edge to edge there are {cells} cells. Yours are fewer or more."
        )
        expect(_same(first, -0.5), f"{rule} The first centre lies half a cell inside the edge.")
    straight = _same(answer(0.5, 9, False), place(0.5, 9, False)) and _same(answer(2.0, 9, True), place(2.0, 9, True))
    expect(straight, "The ends are right, but equal steps of the coordinate are not equal steps of the place.")


def by_the_sampler(coordinate: float, cells: int, align_corners: bool) -> float:
    """PyTorch's sampler on a row of cells that hold their own places; beyond the centres in equal steps."""

    def inside(at: float) -> float:
        row, grid = torch.arange(float(cells)).view(1, 1, 1, -1), torch.tensor([[[[at, 0.0]]]])
        return float(F.grid_sample(row, grid, align_corners=align_corners))

    low, high = inside(-0.5), inside(0.5)
    return (low + high) / 2 + (high - low) * coordinate


def some_coordinate(draw: Draw) -> tuple[float, int, bool]:
    """A coordinate on the map or beyond it, among 3 to 30 cells."""
    return float(draw.uniform(-2, 2)), int(draw.integers(3, 30)), bool(draw.random() < 0.5)


EXERCISES = (
    Exercise(
        "stripes",
        4,
        stripes,
        (
            as_many_as_asked_for,
            across_all_of_x,
            equally_high,
            from_top_to_bottom,
            from_edge_to_edge,
            agrees(stripes, lambda draw: (int(draw.integers(2, 12)),), alike=_same),
        ),
        example=lambda: (4,),
        plain=True,
    ),
    Exercise(
        "place",
        4,
        place,
        (
            between_and_beyond,
            true_and_false_differ,
            true_goes_from_centre_to_centre,
            false_goes_from_edge_to_edge,
            agrees(by_the_sampler, some_coordinate, times=40),
        ),
        example=lambda: (0.3, 9, True),
    ),
)
