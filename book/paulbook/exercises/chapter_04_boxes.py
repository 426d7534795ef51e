"""Exercise 4.1: the theta of a box in pixels. The test of ports is in `chapter_04_ports`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..agreement import Draw, agrees, sizes
from ..exercise import Exercise, Wrong, expect

Pixels = tuple[float, float, float, float]
Boxes = Callable[[Pixels, tuple[int, int], tuple[int, int]], Any]
CLOSE = 1e-4
IMAGE, CELLS = (128, 64), (8, 4)


def box_theta(box: Pixels, size: tuple[int, int], cells: tuple[int, int]) -> Tensor:
    """The theta whose outermost sample points lie on the sides of a box: the book's own answer.

    Args:
        box: left, top, right and bottom in pixels from the image's upper left corner.
        size: height and width of the image in pixels.
        cells: rows and columns of the feature map, two or more.

    >>> box_theta((8, 8, 56, 120), (128, 64), (8, 4))       # from the centres of the outer cells
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    left, top, right, bottom = box
    theta = torch.zeros(2, 3)
    for axis, sides in enumerate(((left, right), (top, bottom))):
        length, count = size[1 - axis], cells[1 - axis]
        first, last = ((2 * side - length) / (length * (1 - 1 / count)) for side in sides)
        theta[axis, axis], theta[axis, 2] = (last - first) / 2, (last + first) / 2
    return theta


def _theta(answer: Boxes, box: Pixels, size: tuple[int, int] = IMAGE, cells: tuple[int, int] = CELLS) -> NDArray[Any]:
    """What the reader's function gives, as an array, whatever it was."""
    found = answer(box, size, cells)
    try:
        array = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The result is {found!r}, expected two rows of three numbers.") from error
    hint = f"The result has the shape {array.shape}. One patch has six numbers, two rows of three."
    expect(array.shape == (2, 3), hint)
    return array


def _same(found: Any, expected: Any) -> bool:
    return bool(np.allclose(found, expected, atol=CLOSE))


LARGE: Pixels = (8, 8, 56, 120)  # between the centres of the outer cells


SMALL: Pixels = (20, 40, 40, 96)


def no_shear(answer: Boxes) -> None:
    """A box is upright."""
    theta = _theta(answer, SMALL)
    hint = (
        f"The two entries for shear are {theta[0, 1]:.2f} and {theta[1, 0]:.2f}. A box is upright. Which row makes x?"
    )
    expect(_same((theta[0, 1], theta[1, 0]), 0), hint)


def ordinary_mistakes(answer: Boxes) -> None:
    """The usual slips, each told by what it gives for one box."""
    found, right = _theta(answer, SMALL), box_theta(SMALL, IMAGE, CELLS).double().numpy()
    scales, shifts = found[[0, 1], [0, 1]], found[:, 2]
    wanted, middles = right[[0, 1], [0, 1]], right[:, 2]
    hint = "Width and height have changed places. x comes first in theta, but sizes begin with the height."
    expect(not _same(scales, wanted[::-1]), hint)
    expect(not _same(scales, 2 * wanted), "Your box is twice too large. The range from -1 to 1 is 2 long already.")
    expect(not _same(scales, middles), "Scale and shift have changed places. The last column is the shift.")
    hint = "Both scales are negative, so the patch is read upside down and mirrored. Subtract the other way round."
    expect(not _same(scales, -wanted), hint)
    half = shifts_of(SMALL)
    hint = "You placed -1 and 1 at the edges of the image, as with align_corners=False. Where are they with True?"
    expect(not (_same(scales, half[0]) and _same(shifts, half[1])), hint)
    hint = "Your shift is the upper left corner of the box. A shift says where the middle of the patch is."
    expect(not _same(shifts, middles - wanted), hint)
    expect(not _same(shifts, -middles) or _same(middles, 0), "The middle lies on the wrong side. y grows downwards.")
    hint = "The scales are right, and the middles would be right if -1 and 1 were the edges of the image."
    expect(not (_same(scales, wanted) and _same(shifts, half[1])), f"{hint} Use one rule for both.")


def shifts_of(box: Pixels) -> tuple[NDArray[Any], NDArray[Any]]:
    """Scales and shifts of a box with -1 and 1 at the edges of the image."""
    ends = np.array([[box[0], box[2]], [box[1], box[3]]]) * 2 / np.array([[IMAGE[1]], [IMAGE[0]]]) - 1
    return (ends[:, 1] - ends[:, 0]) / 2, ends.mean(1)


def whole_map(answer: Boxes) -> None:
    """A box between the centres of the outer cells is the map itself."""
    theta = _theta(answer, LARGE)
    hint = "On an image of 128 x 64 pixels with 8 x 4 cells, the box (8, 8, 56, 120) ends at the centres of the outer"
    expect(_same(theta, np.eye(2, 3)), f"{hint} cells, so theta should be the whole map. Yours is {theta.tolist()}.")


def other_sizes(answer: Boxes) -> None:
    """Images and maps of other sizes."""
    size, cells = (256, 128), (16, 8)
    doubled: Pixels = (40, 80, 80, 192)
    found = _theta(answer, doubled, size, cells)
    hint = "An image of twice the size with twice as many cells gives the wrong theta. Are the cells 16 pixels in both?"
    expect(not _same(found, _theta(answer, doubled)), f"{hint} Neither size may be a fixed number.")
    hint = "For an image of 256 x 128 pixels and 16 x 8 cells the theta is wrong. Does the number of cells matter?"
    expect(_same(found, box_theta(doubled, size, cells)), hint)
    size, cells = (384, 128), (24, 8)
    hint = "For 384 x 128 pixels and 24 x 8 cells the theta is wrong. Rows and columns each have their own side."
    expect(_same(_theta(answer, doubled, size, cells), box_theta(doubled, size, cells)), hint)


def beyond_the_image(answer: Boxes) -> None:
    """A box may hang over the edge."""
    outside: Pixels = (-10, 100, 30, 150)
    hint = "A box that hangs over the edge of the image is wrong. A detector may give such a box, and so may a theta."
    expect(_same(_theta(answer, outside), box_theta(outside, IMAGE, CELLS)), f"{hint} Nothing has to be cut off.")


def by_a_line(box: Pixels, size: tuple[int, int], cells: tuple[int, int]) -> NDArray[Any]:
    """A straight line through the centres of the outer cells, read at the sides of the box."""
    theta = np.zeros((2, 3))
    for axis, (length, count) in enumerate(zip(size[::-1], cells[::-1], strict=True)):
        centres = (np.arange(count) + 0.5) * length / count
        line = np.polynomial.Polynomial.fit(centres[[0, -1]], [-1, 1], 1)
        first, last = line(box[axis]), line(box[axis + 2])
        theta[axis, [axis, 2]] = (last - first) / 2, (last + first) / 2
    return theta


def some_box(draw: Draw) -> tuple[Pixels, tuple[int, int], tuple[int, int]]:
    """A box, partly outside at times, on an image whose cells are not square; all sizes differ."""
    rows, columns = sizes(draw, 2, low=3)
    height, width = (int(side) for side in 50 + draw.permutation(200)[:2])
    left, right = np.sort(draw.uniform(-0.2, 1.2, 2)) * width
    top, bottom = np.sort(draw.uniform(-0.2, 1.2, 2)) * height
    return (float(left), float(top), float(right), float(bottom)), (height, width), (rows, columns)


EXERCISES = (
    Exercise(
        "box_theta",
        4,
        box_theta,
        (
            no_shear,
            ordinary_mistakes,
            whole_map,
            other_sizes,
            beyond_the_image,
            agrees(by_a_line, some_box, hint="A cell need be neither 16 pixels high nor square."),
        ),
        example=lambda: (SMALL, IMAGE, CELLS),
        plain=True,
    ),
)
