"""Wrong answers to the exercises of chapter 8, each another misconception; and other right ones."""

import torch
from torch import Tensor


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


def nearest_other(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Plain hard mining: no cycle."""
    return ranked(distance, owner)[:, 0]


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


def takes_the_vetoed(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """The first candidate that does name the owner."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, ~names(lists_of(between, nearest), order, owner))


def gives_up(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """One veto, and nobody else is tried."""
    order = ranked(distance, owner)[:, :1]
    return first_of(order, names(lists_of(between, nearest), order, owner))


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


def none_is_the_first(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """argmax of nothing but False is 0."""
    order = ranked(distance, owner)[:, :max_candidates]
    named = names(lists_of(between, nearest), order, owner)
    return order.gather(1, (~named).int().argmax(1, keepdim=True))[:, 0]


def none_is_the_own(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Where none is found, the own center is handed back."""
    order = ranked(distance, owner)[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, owner), owner)


def all_are_tried(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Forgets the limit on the candidates."""
    order = ranked(distance, owner)
    return first_of(order, names(lists_of(between, nearest), order, owner))


def own_center_is_tried(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """The own center is among the candidates. It is always vetoed, but it uses up a place."""
    order = distance.argsort(dim=1, stable=True)[:, :max_candidates]
    return first_of(order, names(lists_of(between, nearest), order, owner))


def writes_into_distance(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Marks the own center in the matrix that came in."""
    distance[torch.arange(len(owner)), owner] = torch.inf
    return slow(distance, between, owner, nearest, max_candidates)


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


def library(distance, between, owner, nearest=3, max_candidates=15) -> list[int]:
    """Right: as the library does it; a list."""
    from paullite.losses import _cyclic_negative

    return _cyclic_negative(distance, between, owner, nearest, max_candidates).tolist()


def masked(distance, between, owner, nearest=3, max_candidates=15) -> Tensor:
    """Right: no walk at all. The nearest of all that are neither own, nor vetoed, nor beyond the limit."""
    places = torch.arange(len(between))
    rank_between = between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True).argsort(1)  # B B
    own = places == owner[:, None]  # A B
    rank = distance.where(~own, torch.inf).argsort(dim=1, stable=True).argsort(1)
    free = ~own & (rank < max_candidates) & (nearest <= rank_between[:, owner].T)
    return torch.where(free.any(1), rank.where(free, len(between) + 1).argmin(1), -1)


def parts(distance: Tensor, owner: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """pos, neg (0 where there is none) and whether there is one, (A,) each."""
    found = negative >= 0
    neg = distance.gather(1, negative.clamp(min=0)[:, None])[:, 0]
    return distance.gather(1, owner[:, None])[:, 0], neg.where(found, 0), found


def over(loss: Tensor, found: Tensor, no_negative: str) -> Tensor:
    """The mean over those that count."""
    return loss.mean() if no_negative == "pull" else (loss * found).sum() / found.sum().clamp(min=1)


def image_loss(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Right."""
    pos, neg, found = parts(distance, owner, negative)
    return over((margin + pos - neg).clamp(min=0), found, no_negative)


def turned(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Pushes from the own center and pulls to the negative."""
    pos, neg, found = parts(distance, owner, negative)
    return over((margin - pos + neg).clamp(min=0), found, no_negative)


def margin_the_wrong_way(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Content before the negative is even as far as the own center."""
    pos, neg, found = parts(distance, owner, negative)
    return over((pos - neg - margin).clamp(min=0), found, no_negative)


def margin_outside(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Adds the margin after the maximum."""
    pos, neg, found = parts(distance, owner, negative)
    return over(margin + (pos - neg).clamp(min=0), found, no_negative)


def never_content(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """No maximum with 0."""
    pos, neg, found = parts(distance, owner, negative)
    return over(margin + pos - neg, found, no_negative)


def mean_first(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """The maximum with 0 after the mean: anchors that are far enough pay for the others."""
    pos, neg, found = parts(distance, owner, negative)
    return over(margin + pos - neg, found, no_negative).clamp(min=0)


def a_sum(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Adds up and does not divide."""
    pos, neg, found = parts(distance, owner, negative)
    loss = (margin + pos - neg).clamp(min=0)
    return loss.sum() if no_negative == "pull" else (loss * found).sum()


def divided_by_all(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Anchors without a negative are left out of the sum, but not of the number."""
    pos, neg, found = parts(distance, owner, negative)
    loss = (margin + pos - neg).clamp(min=0)
    return loss.mean() if no_negative == "pull" else (loss * found).mean()


def last_center(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """-1 as an index is the last center."""
    rows = torch.arange(len(owner))
    return (margin + distance[rows, owner] - distance[rows, negative]).clamp(min=0).mean()


def nothing_over_nothing(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """The mean of no anchors at all."""
    pos, neg, found = parts(distance, owner, negative)
    loss = (margin + pos - neg).clamp(min=0)
    return loss.mean() if no_negative == "pull" else loss[found].mean()


def always_skips(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Does not look at no_negative."""
    return image_loss(distance, owner, negative, margin)


def always_pulls(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """The reference's way whatever is asked for."""
    return image_loss(distance, owner, negative, margin, "pull")


def pull_without_margin(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Where there is no negative, only the way to the own center counts."""
    pos, neg, found = parts(distance, owner, negative)
    loss = torch.where(found, (margin + pos - neg).clamp(min=0), pos)
    return over(loss, found, no_negative)


def squares(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Squared distances."""
    return image_loss(distance.square(), owner, negative, margin, no_negative)


def margin_of_two(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Margin 2 whatever is asked for."""
    return image_loss(distance, owner, negative, 2.0, no_negative)


def on_the_diagonal(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Takes anchor a for a view of image a, then of image a - B, whatever owner says."""
    rows = torch.arange(len(owner)) % distance.shape[1]
    return image_loss(distance, rows, negative, margin, no_negative)


def only_a_number(distance, owner, negative, margin=2.0, no_negative="skip") -> float:
    """The right value without a way back for the gradient."""
    return image_loss(distance, owner, negative, margin, no_negative).item()


def anchor_by_anchor(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Right: a loop."""
    losses = []
    for row, own, other in zip(distance, owner.tolist(), negative.tolist(), strict=True):
        if other >= 0 or no_negative == "pull":
            losses.append(torch.relu(margin + row[own] - (row[other] if other >= 0 else 0)))
    return torch.stack(losses).mean() if losses else distance.sum() * 0


WRONG = {
    "hard_negatives": (
        nearest_other, farthest_first, order_of_the_batch, place_in_the_list, asks_the_wrong_one, takes_the_vetoed,
        gives_up, anchor_for_owner, lists_without_itself, always_three, lists_of_anchors, none_is_the_first,
        none_is_the_own, all_are_tried, own_center_is_tried, writes_into_distance,
    ),
    "image_loss": (
        turned, margin_the_wrong_way, margin_outside, never_content, mean_first, a_sum, divided_by_all, last_center,
        nothing_over_nothing, always_skips, always_pulls, pull_without_margin, squares, margin_of_two,
        on_the_diagonal, only_a_number,
    ),
}  # fmt: skip

OTHER_RIGHT = {"hard_negatives": (slow, library, masked), "image_loss": (image_loss, anchor_by_anchor)}
