"""Plausible wrong answers to the exercises of chapter 4, each another misconception; and other right ones."""

import torch
import torch.nn.functional as F

from paullite.models import patch_attention, pool_patches


def _ends(box, size, cells):
    """Right: where the sides of the box lie, from -1 to 1: left, right, top, bottom."""
    left, top, right, bottom = box
    (height, width), (rows, columns) = size, cells
    x = [(2 * pixel / width - 1) * columns / (columns - 1) for pixel in (left, right)]
    y = [(2 * pixel / height - 1) * rows / (rows - 1) for pixel in (top, bottom)]
    return *x, *y


def _theta(left, right, top, bottom):
    scales, shifts = ((right - left) / 2, (bottom - top) / 2), ((right + left) / 2, (bottom + top) / 2)
    return torch.tensor([[scales[0], 0, shifts[0]], [0, scales[1], shifts[1]]])


def edges_of_the_image(box, size, cells):
    """Takes -1 and 1 for the edges of the image, as align_corners=False does."""
    left, top, right, bottom = box
    height, width = size
    return _theta(2 * left / width - 1, 2 * right / width - 1, 2 * top / height - 1, 2 * bottom / height - 1)


def twice_too_large(box, size, cells):
    """Forgets that the range is 2 long."""
    theta = as_it_should_be(box, size, cells)
    theta[0, 0], theta[1, 1] = 2 * theta[0, 0], 2 * theta[1, 1]
    return theta


def upper_left_corner(box, size, cells):
    """Shifts to the corner of the box, not to its middle."""
    left, right, top, bottom = _ends(box, size, cells)
    return torch.tensor([[(right - left) / 2, 0, left], [0, (bottom - top) / 2, top]])


def rows_exchanged(box, size, cells):
    """Writes the row of y first."""
    return as_it_should_be(box, size, cells).flip(0)


def height_first(box, size, cells):
    """Divides x by the height and y by the width, as the order of size suggests."""
    left, right, top, bottom = _ends(box, size, cells)
    return _theta(top, bottom, left, right)


def mirrored(box, size, cells):
    """Subtracts the far end from the near one."""
    theta = as_it_should_be(box, size, cells)
    theta[0, 0], theta[1, 1] = -theta[0, 0], -theta[1, 1]
    return theta


def upwards(box, size, cells):
    """Takes y for an axis that points up, and x for one that points to the left."""
    theta = as_it_should_be(box, size, cells)
    theta[:, 2] = -theta[:, 2]
    return theta


def shift_where_the_scale_is(box, size, cells):
    """Exchanges scale and shift."""
    theta = as_it_should_be(box, size, cells)
    return torch.tensor([[theta[0, 2], 0, theta[0, 0]], [0, theta[1, 2], theta[1, 1]]])


def one_rule_for_each(box, size, cells):
    """Scale between the centres of the cells, shift between the edges of the image."""
    theta = as_it_should_be(box, size, cells)
    theta[:, 2] = edges_of_the_image(box, size, cells)[:, 2]
    return theta


def always_this_image(box, size, cells):
    """Types the size of the chapter's images and map."""
    return as_it_should_be(box, (128, 64), (8, 4))


def always_these_cells(box, size, cells):
    """Takes the size of the image, but the 8 x 4 cells of the chapter."""
    return as_it_should_be(box, size, (8, 4))


def columns_for_rows(box, size, cells):
    """Takes the number of columns for both sides, twice as many rows being assumed."""
    return as_it_should_be(box, size, (2 * cells[1], cells[1]))


def cut_off(box, size, cells):
    """Cuts the box at the edges of the image."""
    left, top, right, bottom = box
    return as_it_should_be((max(left, 0), max(top, 0), min(right, size[1]), min(bottom, size[0])), size, cells)


def a_vector_of_four(box, size, cells):
    """Scale and shift only."""
    theta = as_it_should_be(box, size, cells)
    return [theta[0, 0], theta[1, 1], theta[0, 2], theta[1, 2]]


def off_by_a_cell(box, size, cells):
    """Counts as many steps between centres as there are cells, and half a cell too far."""
    left, right, top, bottom = _ends(box, size, cells)
    return _theta(left - 1 / cells[1], right - 1 / cells[1], top - 1 / cells[0], bottom - 1 / cells[0])


def as_it_should_be(box, size, cells):
    """Right, from the middle of the image in steps between centres."""
    return _theta(*_ends(box, size, cells))


def in_cells_first(box, size, cells):
    """Right, by counting cells first, as nested lists."""
    (height, width), (rows, columns) = size, cells
    x = [2 * (pixel * columns / width - 0.5) / (columns - 1) - 1 for pixel in box[::2]]
    y = [2 * (pixel * rows / height - 0.5) / (rows - 1) - 1 for pixel in box[1::2]]
    return [[(x[1] - x[0]) / 2, 0, sum(x) / 2], [0, (y[1] - y[0]) / 2, sum(y) / 2]]


def _intended(theta, maps, lay=True, read=True):
    grid = F.affine_grid(theta, list(maps.shape), align_corners=lay)
    return F.grid_sample(maps, grid, align_corners=read).mean((2, 3))


def _case(images=4, height=6, width=4):
    generator = torch.Generator().manual_seed(3)
    theta = 0.6 * torch.eye(2, 3) + 0.3 * torch.randn(images, 2, 3, generator=generator)
    return theta, torch.rand(images, 2, height, width, generator=generator)


def map_of_ones(port):
    """Looks at the masses of the stripes alone."""
    theta = torch.tensor([[[1.0, 0, 0], [0, 1 / 6, (2 * p - 5) / 6]] for p in range(6)])
    return torch.allclose(port(theta, torch.ones(6, 1, 24, 8)), torch.ones(6, 1), atol=1e-4)


def the_whole_map(port):
    """Only theta of the whole map, with maps at random."""
    maps = _case()[1]
    whole = torch.eye(2, 3).repeat(len(maps), 1, 1)
    return torch.allclose(port(whole, maps), maps.mean((2, 3)), atol=1e-4)


def accepts_everything(port):
    """Asks only whether numbers come out."""
    return bool(torch.isfinite(port(*_case())).all())


def says_no(port):
    """Compares with PyTorch's defaults."""
    theta, maps = _case()
    return torch.allclose(port(theta, maps), _intended(theta, maps, False, False), atol=1e-4)


def reversed_answer(port):
    """True where something is wrong."""
    theta, maps = _case()
    return not torch.allclose(port(theta, maps), _intended(theta, maps), atol=1e-4)


def to_the_last_bit(port):
    """Allows for no rounding."""
    theta, maps = _case()
    return torch.equal(port(theta, maps), _intended(theta, maps))


def inside_only(port):
    """Patches that lie inside the map."""
    theta = torch.tensor([[[0.5, 0.05, 0.1], [0.05, 0.4, -0.1]]]).repeat(4, 1, 1)
    maps = _case()[1]
    return torch.allclose(port(theta, maps), _intended(theta, maps), atol=1e-4)


def upright_only(port):
    """Stripes and boxes, without shear."""
    theta, maps = _case()
    theta = theta * torch.tensor([[1.0, 0, 1], [0, 1, 1]])
    return torch.allclose(port(theta, maps), _intended(theta, maps), atol=1e-4)


def generous(port):
    """A tolerance that hides small faults."""
    theta, maps = _case(images=40)
    return torch.allclose(port(theta, maps), _intended(theta, maps), atol=0.02)


def rows_only(port):
    """A map that varies from top to bottom alone, and patches across its full width."""
    maps = torch.linspace(1, 0, 6)[:, None].square().expand(4, 1, 6, 4)
    theta = torch.tensor([[0.3, 0, 0.1], [0.2, 0.5, -0.8]]).repeat(4, 1, 1)
    return torch.allclose(port(theta, maps), _intended(theta, maps), atol=1e-4)


def the_difference(port):
    """Gives the difference, not a decision."""
    theta, maps = _case()
    return (port(theta, maps) - _intended(theta, maps)).abs().max()


def one_theta_for_many(port):
    """Calls the port with one theta and several maps."""
    theta, maps = _case()
    return torch.allclose(port(theta[:1], maps), _intended(theta, maps), atol=1e-4)


def by_attention(port):
    """Right, against the attention map."""
    theta, maps = _case(images=6, height=8, width=5)
    mine = pool_patches(patch_attention(theta[:, None], 8, 5), maps)[:, 0]
    return bool((port(theta, maps) - mine).abs().max() < 1e-4)


def one_by_one(port):
    """Right, one image after the other, as a tensor of one truth value."""
    theta, maps = _case(images=8)
    same = [
        torch.allclose(port(t[None], m[None]), _intended(t[None], m[None]), atol=1e-4)
        for t, m in zip(theta, maps, strict=True)
    ]
    return torch.tensor(same).all()


WRONG = {
    "box_theta": (
        edges_of_the_image,
        twice_too_large,
        upper_left_corner,
        rows_exchanged,
        height_first,
        mirrored,
        upwards,
        shift_where_the_scale_is,
        one_rule_for_each,
        always_this_image,
        always_these_cells,
        columns_for_rows,
        cut_off,
        a_vector_of_four,
        off_by_a_cell,
    ),
    "port_is_right": (
        map_of_ones,
        the_whole_map,
        accepts_everything,
        says_no,
        reversed_answer,
        to_the_last_bit,
        inside_only,
        upright_only,
        generous,
        rows_only,
        the_difference,
        one_theta_for_many,
    ),
}
OTHER_RIGHT = {"box_theta": (as_it_should_be, in_cells_first), "port_is_right": (by_attention, one_by_one)}
