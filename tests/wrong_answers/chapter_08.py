"""Wrong answers to the exercises of chapter 8, each another misconception; and other right ones."""

import torch
from torch import Tensor

from paullite.cyclic import Ranking
from tests.wrong_answers import chapter_08_loss, chapter_08_visits


def ranked(distance: Tensor, owner: Tensor) -> Tensor:
    """The other centers, nearest first, (A, B-1)."""
    return distance.scatter(1, owner[:, None], torch.inf).argsort(dim=1, stable=True)[:, :-1]


def lists_of(between: Tensor, nearest: int) -> Tensor:
    """Each center's nearest, itself first."""
    return between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True)[:, :nearest]


def first_of(order: Tensor, named: Tensor, none: Tensor | int = -1) -> Tensor:
    """The first candidate that is not named, else ``none``."""
    found = order.gather(1, (~named).int().argmax(1, keepdim=True))[:, 0]
    return torch.where((~named).any(1), found, torch.as_tensor(none))


def names(lists: Tensor, order: Tensor, owner: Tensor) -> Tensor:
    """Whether the candidates' lists name the owner, (A, candidates)."""
    return (lists[order] == owner[:, None, None]).any(-1)


def farthest_first(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Sorts the wrong way round."""
    order = ranked(distance, owner).flip(1)[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, owner))


def order_of_the_batch(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Goes through the centers as they stand in the batch."""
    order = ranked(distance, owner)[:, :max_candidates].sort(1).values
    return first_of(order, names(lists_of(between, nearest), order, owner))


def place_in_the_list(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Hands back how far down the ranking list the negative stands, not which center it is."""
    named = names(lists_of(between, nearest), ranked(distance, owner)[:, :max_candidates], owner)
    return torch.where((~named).any(1), (~named).int().argmax(1), -1)


def asks_the_wrong_one(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Looks for the candidate in the list of the anchor's own center."""
    order = ranked(distance, owner)[:, :max_candidates]
    mine = lists_of(between, nearest)[owner]  # A nearest
    return first_of(order, (mine[:, None] == order[:, :, None]).any(-1))


def anchor_for_owner(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Takes the row of an anchor for the row of its center: never right for the surrogates."""
    rows = torch.arange(len(distance))
    order = distance.argsort(dim=1, stable=True)
    order = torch.stack([row[row != a][: distance.shape[1] - 1] for a, row in enumerate(order)])[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, rows))


def lists_without_itself(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """`nearest` others, and the candidate itself not counted."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest + 1)[:, 1:], order, owner))


def always_three(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Lists of 3 whatever is asked for."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, names(lists_of(between, 3), order, owner))


def lists_of_anchors(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Ranks by the distances of the anchors where those between centers are meant."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, names(lists_of(distance[: len(between)], nearest), order, owner))


def none_is_the_own(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Where none is found, the own center is handed back."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, owner), owner)


def writes_into_distance(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Marks the own center in the matrix that came in."""
    distance[torch.arange(len(owner)), owner] = torch.inf
    return slow(distance, between, owner, nearest, max_candidates)


def a_list(distance, between, owner, nearest=3, max_candidates=15) -> list[int]:
    """The right places, as a list: nothing can be compared or indexed with it."""
    return slow(distance, between, owner, nearest, max_candidates).tolist()


def floats(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """The right places, as floats: nothing can be indexed with them."""
    return slow(distance, between, owner, nearest, max_candidates).float()


def own_center_stands_first(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Leaves out whoever stands first, which need not be the own center."""
    order = distance.argsort(dim=1, stable=True)[:, 1:][:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, owner))


def more_than_there_are(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Asks for max_candidates in a batch that may be smaller."""
    order = distance.scatter(1, owner[:, None], torch.inf).topk(max_candidates, largest=False).indices
    return first_of(order, names(lists_of(between, nearest), order, owner))


def slow(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Right: the book's loop."""
    found = []
    for a, own in enumerate(owner.tolist()):
        candidates = [j for j in distance[a].argsort(stable=True).tolist() if j != own][:max_candidates]
        free = [j for j in candidates if own not in [j, *[i for i in order_of(between, j) if i != j]][:nearest]]
        found.append(free[0] if free else -1)
    return torch.tensor(found)


def order_of(between: Tensor, j: int) -> list[int]:
    """All centers, nearest to center j first."""
    return between[j].argsort(stable=True).tolist()


def library(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Right: as the library does it."""
    order = distance.scatter(1, owner[:, None], torch.inf).argsort(dim=1, stable=True)  # own one last
    order = order[:, : min(max_candidates, len(between) - 1)]
    lists = between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True)[:, :nearest]
    return Ranking(order, (lists[order] == owner[:, None, None]).any(-1)).negatives()


def masked(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Right: no walk at all. The nearest of all that are neither own, nor vetoed, nor beyond the limit."""
    places = torch.arange(len(between))
    rank_between = between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True).argsort(1)  # B B
    own = places == owner[:, None]  # A B
    rank = distance.where(~own, torch.inf).argsort(dim=1, stable=True).argsort(1)
    free = ~own & (rank < max_candidates) & (nearest <= rank_between[:, owner].T)
    return torch.where(free.any(1), rank.where(free, len(between) + 1).argmin(1), -1)


WRONG = {
    "hard_negatives": (
        farthest_first, order_of_the_batch, place_in_the_list, asks_the_wrong_one,
        anchor_for_owner, lists_without_itself, always_three, lists_of_anchors,
        none_is_the_own, writes_into_distance,
        a_list, floats, own_center_stands_first, more_than_there_are,
    ),
    **chapter_08_loss.WRONG,
    **chapter_08_visits.WRONG,
}  # fmt: skip

OTHER_RIGHT = {
    "hard_negatives": (slow, library, masked), **chapter_08_loss.OTHER_RIGHT, **chapter_08_visits.OTHER_RIGHT
}  # fmt: skip
