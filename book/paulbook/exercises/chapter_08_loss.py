"""Exercise 8.2: the loss of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.cyclic import cyclic_ranking, distances
from paullite.losses import ipfl

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, expect

Loss = Callable[..., Any]


def image_loss(
    distance: Tensor, owner: Tensor, negative: Tensor, margin: float = 2.0, no_negative: str = "skip"
) -> Tensor:
    """IPFL from distances and negatives: the book's own answer."""
    found = negative >= 0
    pos = distance.gather(1, owner[:, None])[:, 0]
    neg = distance.gather(1, negative.clamp(min=0)[:, None])[:, 0].where(found, 0)
    loss = F.relu(margin + pos - neg)  # A
    return loss.mean() if no_negative == "pull" else (loss * found).sum() / found.sum().clamp(min=1)


Setting = tuple[Tensor, Tensor, Tensor]  # distances (A, B), owner (A,), negative (A,)


def valued(answer: Loss, case: Setting, *more: Any) -> float:
    """The value of an answer."""
    return float(answer(*case, *more))


def setting(rows: Sequence[Sequence[float]], owner: Sequence[int], negative: Sequence[int]) -> Setting:
    """Distances, owners and negatives as tensors."""
    return torch.tensor(rows), torch.tensor(owner), torch.tensor(negative)


def one_anchor(answer: Loss) -> None:
    """margin + pos - neg of a single anchor; 0 once it is far enough."""
    got = valued(answer, setting([[0.5, 1.25]], [0], [1]), 2.0)
    says = f"One anchor, pos = 0.5, neg = 1.25, margin 2: the loss is 1.25, yours is {got:.4g}."
    expect(abs(got - 2.75) > 1e-5, f"{says} Which of the two distances should shrink?")
    expect(abs(got - 2.0) > 1e-5, f"{says} Is the margin inside the maximum with 0?")
    expect(got > 1e-6, f"{says} On which side of the difference does the margin stand?")
    expect(abs(got - 0.6875) > 1e-5, f"{says} The distances are meant as they are, not squared.")
    expect(abs(got - 1.25) < 1e-5, says)
    got = valued(answer, setting([[0.5, 1.25]], [0], [1]), 1.0)
    expect(abs(got - 0.25) < 1e-5, f"The same anchor with margin 1: 0.25 is asked, yours is {got:.4g}. Is yours fixed?")


def content_anchors_give_zero(answer: Loss) -> None:
    """Each anchor has its own maximum with 0, then the mean."""
    got = valued(answer, setting([[0.5, 6.5]], [0], [1]), 2.0)
    expect(
        got > -1e-6,
        f"An anchor whose negative is far enough costs nothing. Yours is {got:.2f}: such a loss pushes without end.",
    )
    got = valued(answer, setting([[0.5, 1.5], [6.5, 0.5]], [0, 1], [1, 0]), 2.0)
    says = f"Two anchors, one costs 1, the other is content: the mean is 0.5, yours is {got:.4g}."
    expect(abs(got) > 1e-6, f"{says} One that is far enough must not pay for the other.")
    expect(abs(got - 1) > 1e-6, f"{says} Divide by the number of anchors.")
    expect(abs(got - 0.5) < 1e-5, says)


def owner_says_whose_view(answer: Loss) -> None:
    """The anchors may come in any order."""
    got = valued(answer, setting([[3.0, 0.5], [0.5, 3.0]], [1, 0], [0, 1]), 3.0)
    expect(abs(got - 0.5) < 1e-5, "Anchor 0 is a view of image 1 here: owner says so, not the place in the batch.")


def without_a_negative(answer: Loss) -> None:
    """skip leaves the anchor out of sum and number; pull sets neg = 0."""
    case = setting([[0.5, 1.5, 0.25], [1.5, 0.75, 2.25]], [0, 1], [1, -1])
    got = valued(answer, case, 2.0, "skip")
    says = f"Two anchors, the second without a negative (-1). With skip the first alone counts: 1, yours is {got:.4g}."
    expect(abs(got - 0.5) > 1e-6, f"{says} By how many do you divide?")
    expect(abs(got - 0.75) > 1e-6, f"{says} -1 as an index is the last center, who is no negative here.")
    expect(abs(got - 1.875) > 1e-6, f"{says} That is what pull would be.")
    expect(abs(got - 1) < 1e-5, says)
    got = valued(answer, case, 2.0, "pull")
    says = f"The same with pull: neg is 0 for the second, so it costs margin + pos. The mean is 1.875, yours {got:.4g}."
    expect(abs(got - 0.875) > 1e-6, f"{says} Does the margin still count?")
    expect(abs(got - 1.0) > 1e-6, f"{says} Does yours look at no_negative?")
    expect(abs(got - 0.75) > 1e-6, f"{says} -1 as an index is the last center: its 2.25 stands where 0 should.")
    expect(abs(got - 1.875) < 1e-5, says)


def nobody_left(answer: Loss) -> None:
    """No anchor with a negative: 0, not 0 / 0."""
    got = valued(answer, setting([[0.5, 1.5]], [0], [-1]), 2.0, "skip")
    expect(got == got, "With no negative in the whole batch yours is not a number (0 / 0). Asked is 0.")
    expect(abs(got) < 1e-6, f"With no negative in the whole batch and skip the loss is 0, yours is {got:.4g}.")


def the_gradient_gets_through(answer: Loss) -> None:
    """Plus at the own center, minus at the negative's."""
    distance, owner, negative = setting([[0.5, 1.25, 4.0]], [0], [1])
    distance.requires_grad_()
    loss = answer(distance, owner, negative, 2.0, "skip")
    learns = isinstance(loss, Tensor) and loss.requires_grad
    expect(learns, "The value is right, but no gradient comes back from it. Is it a plain number, or detached?")
    (slope,) = torch.autograd.grad(loss, distance)
    right = torch.allclose(slope, torch.tensor([[1.0, -1.0, 0.0]]))
    expect(right, f"The slope at (own, negative, other) is {[round(x, 2) for x in slope[0].tolist()]}, not 1, -1, 0.")


def a_gradient_of_nothing(answer: Loss) -> None:
    """With nobody left the 0 still has a way back, on which nothing comes."""
    distance, owner, negative = setting([[0.5, 1.5]], [0], [-1])
    distance.requires_grad_()
    loss = answer(distance, owner, negative, 2.0, "skip")
    says = "With no negative in the whole batch the 0 is right, but"
    expect(
        isinstance(loss, Tensor) and loss.requires_grad,
        f"{says} it is a new number without a way back: loss.backward() would stop the training at such a batch. "
        "Can the 0 be made of the distances?",
    )
    slope = torch.autograd.grad(loss, distance, allow_unused=True)[0]
    still = slope is None or bool((slope == 0).all())
    expect(still, f"{says} its gradient is {[] if slope is None else slope[0].tolist()}, not 0.")


def by_the_library(
    anchors: Tensor, centers: Tensor, owner: Tensor, most: int, margin: float, no_negative: str
) -> Tensor:
    """The library's loss, from the embeddings."""
    return ipfl(anchors, centers, owner, margin=margin, max_candidates=most, no_negative=no_negative)


def some_views(draw: Draw) -> tuple[Any, ...]:
    """Two views of each image; with one or two candidates some anchors find no negative, and now and then none does."""
    b, e = sizes(draw, 2, low=3)
    centers = numbers(draw, b, e)
    anchors = centers.repeat(2, 1) + 0.5 * numbers(draw, 2 * b, e)
    rule = ("skip", "pull")[int(draw.integers(2))]
    return anchors, centers, torch.arange(b).repeat(2), int(draw.integers(3)), float(draw.uniform(0.5, 3)), rule


def with_negatives(
    anchors: Tensor, centers: Tensor, owner: Tensor, most: int, margin: float, no_negative: str
) -> tuple[Any, ...]:
    """What the exercise hands over: distances, through which the gradient goes on to the anchors, and the negatives."""
    negative = cyclic_ranking(anchors, centers, owner, max_candidates=most).negatives()
    return distances(anchors, centers), owner, negative, margin, no_negative


EXERCISES = (
    Exercise(
        "image_loss",
        8,
        image_loss,
        (
            one_anchor,
            content_anchors_give_zero,
            owner_says_whose_view,
            without_a_negative,
            nobody_left,
            the_gradient_gets_through,
            a_gradient_of_nothing,
            agrees(by_the_library, some_views, given=with_negatives, slopes=(0,)),
        ),
        example=lambda: (*setting([[0.5, 1.25]], [0], [1]), 2.0, "skip"),
    ),
)
