"""Wrong answers to the loss of chapter 8, each another misconception; and other right ones."""

import torch
from torch import Tensor


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


def last_center_for_pull(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Skips rightly; with pull, -1 as an index is the last center."""
    rows = torch.arange(len(owner))
    loss = (margin + distance[rows, owner] - distance[rows, negative]).clamp(min=0)
    return over(loss, negative >= 0, no_negative)


def a_zero_of_its_own(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """With nobody left the 0 is a new tensor, through which no gradient goes back."""
    if no_negative == "skip" and not (negative >= 0).any():
        return torch.tensor(0.0)
    return image_loss(distance, owner, negative, margin, no_negative)


def anchor_by_anchor(distance, owner, negative, margin=2.0, no_negative="skip") -> Tensor:
    """Right: a loop."""
    losses = []
    for row, own, other in zip(distance, owner.tolist(), negative.tolist(), strict=True):
        if other >= 0 or no_negative == "pull":
            losses.append(torch.relu(margin + row[own] - (row[other] if other >= 0 else 0)))
    return torch.stack(losses).mean() if losses else distance.sum() * 0


WRONG = {
    "image_loss": (
        turned, margin_the_wrong_way, margin_outside, mean_first, a_sum, divided_by_all, last_center,
        nothing_over_nothing, pull_without_margin, squares, margin_of_two,
        on_the_diagonal, only_a_number, last_center_for_pull, a_zero_of_its_own,
    ),
}  # fmt: skip

OTHER_RIGHT = {"image_loss": (image_loss, anchor_by_anchor)}
