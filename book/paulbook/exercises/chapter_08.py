"""Exercise 8.1: cyclic ranking. (Exercise 8.2 has a module of its own.)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.cyclic import cyclic_ranking, distances

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect
from ..trying import changes

Negatives = Callable[..., Any]
Case = tuple[Tensor, Tensor, Tensor]  # distances of the anchors (A, B), between the centers (B, B), owner (A,)


def hard_negatives(
    distance: Tensor, between: Tensor, owner: Tensor, nearest: int = 3, max_candidates: int = 15
) -> Tensor:
    """The hard negative of each anchor or -1, (A,): the book's own answer."""
    others = distance.scatter(1, owner[:, None], torch.inf)  # own center last
    order = others.argsort(dim=1, stable=True)[:, :-1][:, :max_candidates]  # A candidates
    lists = between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True)[:, :nearest]  # B nearest
    vetoed = (lists[order] == owner[:, None, None]).any(-1)  # A candidates
    order, free = F.pad(order, (0, 1), value=-1), F.pad(~vetoed, (0, 1), value=True)  # a last place: none left
    return order.gather(1, free.int().argmax(1, keepdim=True))[:, 0]


def line(centers: Sequence[float], anchors: Sequence[float], owner: Sequence[int]) -> Case:
    """Centers and anchors on a line."""
    c, e = torch.tensor(centers)[:, None], torch.tensor(anchors)[:, None]
    return torch.cdist(e, c), torch.cdist(c, c), torch.tensor(owner)


def asked(answer: Negatives, case: Case, nearest: int, most: int = 15) -> list[int]:
    """What an answer says of a case, as whole numbers."""
    distance, between, owner = case
    try:
        found = answer(distance, between, owner, nearest, most)
    except (RuntimeError, IndexError) as error:
        raise Wrong(_ended(error, case, nearest, most)) from None
    expect(
        isinstance(found, Tensor),
        f"It hands back a {type(found).__name__}. A tensor is asked: the cells below compare it and index with it.",
    )
    expect(
        found.shape == owner.shape,
        f"For {len(owner)} anchors it hands back the shape {tuple(found.shape)}. One index for each anchor is asked.",
    )
    expect(
        found.dtype in (torch.int64, torch.int32),
        f"It hands back numbers of the type {found.dtype}. Places in a batch are integers (torch.int64): nothing else "
        "can be an index.",
    )
    return [int(j) for j in found]


def _ended(error: Exception, case: Case, nearest: int, most: int) -> str:
    """An error with the sizes that it came with."""
    anchors, centers = case[0].shape
    said = (str(error).splitlines() or ["no message"])[0].rstrip(".")
    sizes = f"With {anchors} anchors, {centers} centers, nearest = {nearest} and max_candidates = {most}"
    small = " That batch is smaller than max_candidates. Does yours ask for more centers than there are?"
    return f"{sizes} it ends in {type(error).__name__}: {said}.{small if most >= centers else ''}"


def nobody_names_it(answer: Negatives) -> None:
    """A stranger among strangers: the nearest other center, whichever place it has in the batch."""
    centers = (0.0, 13.0, 12.0, 10.0, 20.0)
    j = asked(answer, line(centers, (1.0, *centers[1:]), range(5)), 2)[0]
    says = "One anchor of image 0, and the other centers by distance: 3, 2, 1, 4. None has 0 in its list of two."
    expect(j != 0, f"{says} Yours says 0. Is that a place in a ranking list? Asked is which center it is.")
    expect(j != -1, f"{says} Yours finds nobody. Which candidates are ruled out: who names the anchor's image, or not?")
    expect(j != 2, f"{says} Yours passes 3 over. Whose list do you look at: that of the candidate, or that of image 0?")
    expect(j != 4, f"{says} Yours says 4, who is farthest away. In which order are the candidates tried?")
    expect(j == 3, f"{says} Yours says {j}. The candidates go by distance, not as they stand in the batch.")


def one_veto(answer: Negatives) -> None:
    """The nearest names the owner; the next is taken. The anchor's row is not its owner."""
    centers = (8.0, 30.0, 0.0, 7.0, 2.0)
    j = asked(answer, line(centers, (*centers, 0.5), (*range(5), 2)), 2)[5]
    says = "Anchor 5 is a view of image 2; candidates 4, 3, 0, 1. Center 4 has the list 4, 2; center 3 has 3, 0."
    expect(j != 4, f"{says} Yours takes 4, who names 2. Where is the cycle?")
    expect(j != -1, f"{says} Yours finds nobody: after a veto the next candidate has its turn.")
    expect(j != 2, f"{says} Yours takes 2, its own image. Who tells you whose view an anchor is?")
    expect(j == 3, f"{says} Yours takes {j}.")


def a_list_counts_itself(answer: Negatives) -> None:
    """nearest = 3 is the candidate and two others."""
    centers = (0.0, 4.0, 6.0, 7.0, 30.0)
    j = asked(answer, line(centers, (-1.0, *centers[1:]), range(5)), 3)[0]
    expect(
        j == 1,
        "With nearest = 3 candidate 1 has the list 1, 2, 3; only a list of four would name image 0. Yours vetoes it. "
        "Does your list count the candidate itself?",
    )


def nearest_is_an_argument(answer: Negatives) -> None:
    """Lists of one hold only the candidate itself; nobody is ruled out."""
    centers = (0.0, 1.0, 2.0, 9.0)
    j = asked(answer, line(centers, centers, range(4)), 1)[0]
    expect(
        j == 1, "With nearest = 1 a list holds only its own center, so nobody is vetoed. Yours passes center 1 over."
    )


def lists_are_of_centers(answer: Negatives) -> None:
    """A view far from its own center does not change the lists of the centers."""
    centers, views = (0.0, 3.0, 9.0, 10.0), (0.5, 8.0, 1.0, 2.0)
    j = asked(answer, line(centers, views, range(4)), 2)[0]
    expect(
        j == 2,
        "Anchor 0 is near to its center 0. Center 1 has the list 1, 0 by the distances between centers, so 2 comes "
        f"next. Yours takes {j}. Which of the two matrices are your lists made of?",
    )


def the_own_center_may_stand_anywhere(answer: Negatives) -> None:
    """A view that lies nearer to another center than to its own."""
    centers = (0.0, 5.0, 9.0, 10.0)
    j = asked(answer, line(centers, (4.0, *centers[1:]), range(4)), 1)[0]
    expect(
        j == 1,
        "Anchor 0 is a view of image 0 and lies nearer to center 1 than to its own. With nearest = 1 nobody is vetoed, "
        f"so 1 is asked, and yours takes {j}. Where in the ranking do you expect the own center?",
    )


def all_are_vetoed(answer: Negatives) -> None:
    """Lists as long as the batch: nobody is left."""
    found = asked(answer, line((0.0, 1.0, 5.0), (0.2, 1.2, 4.9), range(3)), 3)
    says = "Lists as long as the batch name everyone, so nobody is left and -1 is asked."
    expect(found != [0, 1, 2], f"{says} Yours hands back the anchor's own center.")
    expect(found == [-1, -1, -1], f"{says} Yours takes {found[0]} for anchor 0. What is the argmax of only False?")


def a_limit_on_candidates(answer: Negatives) -> None:
    """max_candidates others are tried, and no more."""
    centers = (0.0, 1.0, -1.5, 20.0, 21.0, 22.0)
    case = line(centers, (0.1, *centers[1:]), range(6))
    says = "For anchor 0, candidates 1 and 2 are vetoed and 3 is not."
    two, three = (asked(answer, case, 3, most)[0] for most in (2, 3))
    expect(two == -1, f"{says} With max_candidates = 2 nobody is found, but yours takes {two}.")
    expect(
        three == 3,
        f"{says} With max_candidates = 3 the third is the negative; yours finds {three}. "
        "Does somebody who is no candidate use up a place?",
    )


def inputs_stay(answer: Negatives) -> None:
    """The matrices that came in are not written into."""
    touched = changes(answer, *line((0.0, 1.0, 5.0, 6.0), (0.2, 1.2, 4.9, 6.0), range(4)), 2, 15)
    for name, written in zip(("distance", "between", "owner"), touched, strict=False):
        hint = f"Your function changes `{name}`, whose numbers the loss needs afterwards. Write into a copy of it."
        expect(not written, hint)


def by_the_library(anchors: Tensor, centers: Tensor, owner: Tensor, nearest: int, max_candidates: int) -> Tensor:
    """The library's negatives, which it finds from the embeddings."""
    return cyclic_ranking(anchors, centers, owner, nearest=nearest, max_candidates=max_candidates).negatives()


def some_views(draw: Draw) -> tuple[Any, ...]:
    """Two views of each image, near its center or elsewhere."""
    b, (e, nearest, most) = int(draw.integers(7, 20)), sizes(draw, 3)
    centers = numbers(draw, b, e)
    anchors = centers.repeat(2, 1) + float(draw.uniform(0.2, 1.5)) * numbers(draw, 2 * b, e)
    return anchors, centers, torch.arange(b).repeat(2), nearest, most


def as_distances(anchors: Tensor, centers: Tensor, *more: Any) -> tuple[Any, ...]:
    """What the exercise hands over in place of embeddings."""
    return distances(anchors, centers), distances(centers, centers), *more


FOLLOW = "Write the search for one anchor as a loop, run both, and follow the first anchor that differs."


EXERCISES = (
    Exercise(
        "hard_negatives",
        8,
        hard_negatives,
        (
            nobody_names_it,
            one_veto,
            a_list_counts_itself,
            nearest_is_an_argument,
            lists_are_of_centers,
            the_own_center_may_stand_anywhere,
            all_are_vetoed,
            a_limit_on_candidates,
            inputs_stay,
            agrees(by_the_library, some_views, given=as_distances, hint=FOLLOW),
        ),
        example=lambda: (*line((0.0, 1.0, 5.0, 6.0), (0.2, 1.2, 4.9, 6.0), range(4)), 2, 15),
    ),
)
