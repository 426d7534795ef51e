"""Plausible wrong answers to the exercises of chapter 4, each another misconception; and other right ones."""

import numpy as np
import torch


def always_six(patches):
    """Typed off the numbers of the six stripes."""
    return torch.tensor([[[1, 0, 0], [0, 1 / 6, (2 * p - 5) / 6]] for p in range(6)])


def without_shift(patches):
    """Takes theta for a 2x2 matrix and leaves the shift to somebody else."""
    return torch.tensor([[[1, 0], [0, 1 / patches]] for _ in range(patches)])


def upright(patches):
    """Cuts x instead of y: columns, not stripes."""
    return torch.tensor([[[1 / patches, 0, (2 * p + 1 - patches) / patches], [0, 1, 0]] for p in range(patches)])


def rows_swapped(patches):
    """Writes the row of y first."""
    return torch.tensor([[[0, 1 / patches, (2 * p + 1 - patches) / patches], [1, 0, 0]] for p in range(patches)])


def both_small(patches):
    """Makes the stripe narrow as well as low."""
    small = 1 / patches
    return torch.tensor([[[small, 0, 0], [0, small, (2 * p + 1 - patches) / patches]] for p in range(patches)])


def scale_and_shift_swapped(patches):
    """Puts the shift where the scale belongs."""
    return torch.tensor([[[1, 0, 0], [0, (2 * p + 1 - patches) / patches, 1 / patches]] for p in range(patches)])


def from_zero_to_one(patches):
    """Middles of the stripes in a range of 0 to 1."""
    return torch.tensor([[[1, 0, 0], [0, 1 / patches, (p + 0.5) / patches]] for p in range(patches)])


def counts_from_one(patches):
    """The formula with p = 1 ... P."""
    return torch.tensor([[[1, 0, 0], [0, 1 / patches, (2 * p + 1 - patches) / patches]] for p in range(1, patches + 1)])


def from_end_to_end(patches):
    """Spreads the middles from -1 to 1."""
    shifts = np.linspace(-1, 1, patches)
    return torch.tensor([[[1, 0, 0], [0, 1 / patches, float(shift)]] for shift in shifts])


def whole_numbers(patches):
    """Divides without a remainder."""
    return torch.tensor([[[1, 0, 0], [0, 1 / patches, (2 * p + 1 - patches) // patches]] for p in range(patches)])


def as_array(patches):
    """Right, with numpy."""
    theta = np.zeros((patches, 2, 3))
    theta[:, 0, 0], theta[:, 1, 1] = 1, 1 / patches
    theta[:, 1, 2] = np.arange(1 - patches, patches, 2) / patches
    return theta


def as_lists(patches):
    """Right, from the upper edge of each, as nested lists."""
    tops = [-1 + 2 * p / patches for p in range(patches)]
    return [[[1, 0, 0], [0, 1 / patches, top + 1 / patches]] for top in tops]


def always_centres(coordinate, cells, align_corners):
    """Ignores align_corners: always True."""
    return (coordinate + 1) / 2 * (cells - 1)


def always_edges(coordinate, cells, align_corners):
    """Ignores align_corners: always False."""
    return ((coordinate + 1) * cells - 1) / 2


def exchanged(coordinate, cells, align_corners):
    """True and False exchanged."""
    return always_centres(coordinate, cells, True) if not align_corners else always_edges(coordinate, cells, False)


def half_of_the_cells_less_one(coordinate, cells, align_corners):
    """For False, takes the half cell off a range that is too short already."""
    return (coordinate + 1) / 2 * (cells - 1) - (0 if align_corners else 0.5)


def range_of_one(coordinate, cells, align_corners):
    """Takes the coordinate for one from 0 to 1."""
    return coordinate * (cells - 1) if align_corners else coordinate * cells - 0.5


def from_the_middle(coordinate, cells, align_corners):
    """Counts cells from the middle of the side."""
    return coordinate / 2 * (cells - 1) if align_corners else coordinate / 2 * cells


def nearest_cell(coordinate, cells, align_corners):
    """Rounds to a cell."""
    return round(as_it_should_be(coordinate, cells, align_corners))


def clamped(coordinate, cells, align_corners):
    """Pushes what lies outside back to the edge."""
    return min(max(as_it_should_be(coordinate, cells, align_corners), 0), cells - 1)


def counted_from_one(coordinate, cells, align_corners):
    """Calls the first cell 1."""
    return as_it_should_be(coordinate, cells, align_corners) + 1


def in_pixels(coordinate, cells, align_corners):
    """Answers in pixels of the picture, 16 to a cell."""
    return 16 * as_it_should_be(coordinate, cells, align_corners)


def always_eight(coordinate, cells, align_corners):
    """Types the 8 rows of the chapter's map."""
    return as_it_should_be(coordinate, 8, align_corners)


def as_it_should_be(coordinate, cells, align_corners):
    """Right, written the other way round: from the middle, in steps of half a side."""
    return (cells - 1) / 2 + coordinate * (cells - bool(align_corners)) / 2


def as_tensor(coordinate, cells, align_corners):
    """Right, as a tensor of one number."""
    return torch.tensor(as_it_should_be(coordinate, cells, align_corners), dtype=torch.float64)


WRONG = {
    "stripes": (
        always_six,
        without_shift,
        upright,
        rows_swapped,
        both_small,
        scale_and_shift_swapped,
        from_zero_to_one,
        counts_from_one,
        from_end_to_end,
        whole_numbers,
    ),
    "place": (
        exchanged,
        half_of_the_cells_less_one,
        range_of_one,
        from_the_middle,
        nearest_cell,
        clamped,
        counted_from_one,
        in_pixels,
        always_eight,
    ),
}
OTHER_RIGHT = {"stripes": (as_array, as_lists), "place": (as_it_should_be, as_tensor)}
