"""Exercise 6.1: the update of the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from paullite.memory import FeatureMemory

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, expect
from ..trying import changes

Update = Callable[..., Any]


def update_memory(
    memory: Tensor, filled: Tensor, index: Tensor, features: Tensor, momentum: float = 0.1
) -> tuple[Tensor, Tensor]:
    """A copy of the memory with some rows updated, and of the marks: the book's own answer."""
    new, marks = memory.clone(), filled.clone()
    share = torch.where(filled[index], momentum, 1.0).view(-1, 1, 1)
    new[index] = (1 - share) * memory[index] + share * features.detach()
    marks[index] = True
    return new, marks


def units(*rows: Sequence[float]) -> Tensor:
    """Features of one patch, (len(rows), 1, D)."""
    return torch.tensor(rows)[:, None]


def marks(*values: bool) -> Tensor:
    """Which rows are filled."""
    return torch.tensor(values)


def near(found: Tensor, wanted: Tensor) -> bool:
    """Equal, but for rounding."""
    return found.shape == wanted.shape and torch.allclose(found.float(), wanted.float(), atol=1e-5)


def hands_back_two_copies(update: Update) -> None:
    """Memory and marks, new ones of the same shape; what was given is unchanged."""
    memory, filled, new = units([1.0, 0.0], [0.0, 1.0], [0.6, 0.8]), marks(True, False, True), units([0.8, 0.6])
    answer = update(memory, filled, torch.tensor([1]), new, 0.1)
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    expect(pair, "Return two tensors, the new memory and the new marks of what is filled.")
    expect(
        answer[0].shape == memory.shape,
        f"The memory was given as {tuple(memory.shape)}, and its shape must not change.",
    )
    expect(
        answer[1].shape == filled.shape,
        f"The marks were given as {tuple(filled.shape)}, and their shape must not change.",
    )
    touched = changes(update, memory, filled, torch.tensor([1]), new, 0.1)
    expect(not touched[0], "You changed the memory that you were given. Write into a copy of it.")
    expect(not touched[1], "You changed the marks that you were given, so copy these as well.")


def first_visit_stores(update: Update) -> None:
    """An image that was never seen is stored as it is, and marked."""
    new = units([0.6, 0.8])
    row, mark = update(torch.zeros(1, 1, 2), marks(False), torch.tensor([0]), new, 0.1)
    expect(
        near(row, new),
        "At a first visit, the row must be the feature itself. Yours was mixed with something that was never stored, "
        f"and its length is {float(row.norm()):.2f}.",
    )
    expect(bool(mark[0]), "After its first visit an image is filled, but yours is not marked.")


def later_visit_averages(update: Update) -> None:
    """Old times 1 - momentum plus new times momentum; not normalised again."""
    old, new = units([1.0, 0.0]), units([0.0, 1.0])
    for momentum in (0.1, 0.25):
        row = update(old, marks(True), torch.tensor([0]), new, momentum)[0]
        kept, added = (float(v) for v in row.flatten())
        numbers = f"With momentum {momentum:g} yours keeps {kept:.2f} of the old and takes {added:.2f} of the new."
        ratio = added / max(kept, 1e-9)
        expect(kept > 1e-6, f"{numbers} Nothing of the past is left, but a second visit averages.")
        turned = momentum < 0.5 < added and abs(kept + added - 1) < 1e-5
        expect(not turned, f"{numbers} Momentum here is the share of which of the two?")
        unit = abs(kept**2 + added**2 - 1) < 1e-5 and abs(ratio - momentum / (1 - momentum)) < 1e-5
        expect(not unit, f"{numbers} The proportion is right, but the length is not. Is a mean normalised again?")
        fixed = momentum != 0.1 and abs(added - 0.1) < 1e-5
        expect(not fixed, f"{numbers} Does your function use the argument?")
        fine = abs(kept - (1 - momentum)) < 1e-5 and abs(added - momentum) < 1e-5
        expect(fine, f"{numbers} The two shares should be one minus momentum for the old, and momentum for the new.")


def a_row_of_zeros_may_be_filled(update: Update) -> None:
    """Whether an image was seen is for the marks to say, not for the numbers."""
    row = update(torch.zeros(1, 1, 2), marks(True), torch.tensor([0]), units([1.0, 0.0]), 0.1)[0]
    expect(
        near(row, units([0.1, 0.0])),
        "A mean may happen to be zero. Whether a row was visited is what the marks say, not its numbers.",
    )


def each_image_for_itself(update: Update) -> None:
    """The others of the batch neither thin a feature out nor mix with it."""
    old, new = units([1.0, 0.0], [1.0, 0.0]), units([0.0, 1.0], [0.0, -1.0])
    rows = update(old, marks(True, True), torch.tensor([0, 1]), new, 0.1)[0]
    mixed = near(rows[0], rows[1])
    expect(not mixed, "Two images of a batch with opposite features got the same row. Each row takes its own feature.")
    expect(
        near(rows, 0.9 * old + 0.1 * new),
        "With two images in the batch, the shares differ from those with one. Each row is a mean of its own.",
    )


def rows_go_by_index(update: Update) -> None:
    """The feature at place b of the batch belongs to row index[b]; other rows stay."""
    new = units([1.0, 0.0], [0.0, 1.0])
    rows, mark = update(torch.zeros(4, 1, 2), marks(False, False, False, False), torch.tensor([3, 1]), new, 0.1)
    expect(
        bool(rows[3].any()) and bool(rows[1].any()),
        "Images 3 and 1 were visited, but their rows are empty. Which row does index name?",
    )
    expect(
        near(rows[3], new[0]) and near(rows[1], new[1]),
        "The rows of images 3 and 1 have each other's features. The order of index must remain that of the features.",
    )
    expect(mark.tolist() == [False, True, False, True], "You marked images as filled that were not in the batch.")


def others_stay(update: Update) -> None:
    """Rows that were not visited keep every number."""
    old = units([1.0, 0.0], [0.6, 0.8], [0.0, 1.0])
    rows = update(old, marks(True, True, True), torch.tensor([1]), units([1.0, 0.0]), 0.1)[0]
    same = near(rows[0], old[0]) and near(rows[2], old[2])
    expect(same, "Images 0 and 2 were not in the batch, yet their rows changed. Only visited rows fade.")


def seen_and_new_in_one_batch(update: Update) -> None:
    """One batch may bring a first visit and a later one."""
    old, new = units([1.0, 0.0], [0.0, 0.0]), units([0.0, 1.0], [0.0, 1.0])
    rows = update(old, marks(True, False), torch.tensor([0, 1]), new, 0.1)[0]
    expect(
        not near(rows[0], new[0]),
        "An image that was visited before lost its past, because the batch also contains a new one. Decide row by row.",
    )
    expect(
        near(rows[1], new[1]),
        "A new image was averaged with zeros, since the batch also contains a known one. Whose mark decides its share?",
    )


def holds_no_gradient(update: Update) -> None:
    """The memory is data: nothing leads from it back into the network."""
    new = units([0.6, 0.8]).requires_grad_()
    row = update(units([1.0, 0.0]), marks(True), torch.tensor([0]), new, 0.1)[0]
    expect(
        not row.requires_grad,
        "The new memory still keeps the computation graph of the features (requires_grad is True).",
    )


def by_the_library(
    memory: Tensor, filled: Tensor, index: Tensor, features: Tensor, momentum: float
) -> tuple[Tensor, Tensor]:
    """The library's memory after one update."""
    module = FeatureMemory(*memory.shape, momentum=momentum)
    module.features.copy_(memory)
    module.filled.copy_(filled)
    module.update(index, features)
    return module.features, module.filled


def some_visits(draw: Draw) -> tuple[Any, ...]:
    """A memory of which half is filled, and a batch of some of its images."""
    b, p, d, more = sizes(draw, 4)
    n, filled = b + p + d + more, torch.from_numpy(draw.random(b + p + d + more) < 0.5)
    index = torch.from_numpy(draw.permutation(n)[:b])
    memory = numbers(draw, n, p, d) * filled[:, None, None]
    return memory, filled, index, numbers(draw, b, p, d), float(draw.uniform(0.05, 0.9))


def same_rows_and_marks(found: Any, wanted: Any) -> bool:
    """Both tensors, the marks as marks."""
    return near(found[0], wanted[0]) and bool(torch.equal(torch.as_tensor(found[1]).bool(), wanted[1]))


EXERCISES = (
    Exercise(
        "update_memory",
        6,
        update_memory,
        (
            hands_back_two_copies,
            first_visit_stores,
            later_visit_averages,
            a_row_of_zeros_may_be_filled,
            each_image_for_itself,
            rows_go_by_index,
            others_stay,
            seen_and_new_in_one_batch,
            holds_no_gradient,
            agrees(by_the_library, some_visits, slopes=(3,), alike=same_rows_and_marks),
        ),
        example=lambda: (
            torch.zeros(2, 1, 2),
            torch.zeros(2, dtype=torch.bool),
            torch.tensor([1]),
            torch.ones(1, 1, 2),
            0.1,
        ),
    ),
)
