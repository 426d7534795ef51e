"""Exercise 7.1: PEDAL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from paullite import losses

from ..agreement import Draw, agrees, numbers, sizes
from ..chapters.chapter7 import ENTRIES
from ..exercise import Exercise, expect

Loss = Callable[..., Any]
Mistakes = dict[str, Any]  # hint: what comes out if one makes this mistake
SCALE, K = 0.7, 2


def pedal(features: Tensor, memory: Tensor, index: Tensor, scale: float, k: int) -> Tensor:
    """PEDAL by log-sum-exp: the book's own answer."""
    x, w = features.float(), memory.detach().float()
    d2 = (x[:, :, None] - w.transpose(0, 1)).square().sum(-1)  # B P N
    logits = -scale * d2
    logits[torch.arange(len(index)), :, index] = -torch.inf  # own entry
    nearest = logits.topk(k, dim=-1).values  # B P K
    return (logits.logsumexp(-1) - nearest.logsumexp(-1)).mean()


def point() -> tuple[Tensor, Tensor]:
    """The chapter's feature (2,) and memory (6, 2); row 0 is the own one."""
    return torch.tensor([1.0, 0.0]), torch.tensor(ENTRIES)


def draw(seed: int, *shape: int) -> Tensor:
    """Random numbers, the same every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def number(answer: Any) -> float:
    """A loss as a number."""
    return float(torch.as_tensor(answer).detach())


def one(loss: Loss, x: Tensor, w: Tensor, own: int, scale: float = SCALE, k: int = K) -> float:
    """What the reader's loss gives for one patch of one image."""
    return number(loss(x.view(1, 1, -1), w[:, None], torch.tensor([own]), scale, k))


def ratio(logits: Tensor, k: int) -> float:
    """The loss from the logits of all that count."""
    return float(logits.logsumexp(0) - logits.topk(k).values.logsumexp(0))


def refuse(got: Any, mistakes: Mistakes) -> None:
    """Raises the hint of the mistake that gives this very result."""
    for hint, value in mistakes.items():
        same = torch.as_tensor(got).float() - torch.as_tensor(value).float()
        expect(not bool((same.abs() < 1e-4).all()), hint)


def gives_one_number(loss: Loss) -> None:
    """A mean over images and patches."""
    answer = torch.as_tensor(loss(draw(0, 2, 3, 4), draw(1, 7, 3, 4), torch.tensor([5, 2]), SCALE, K))
    expect(
        answer.numel() == 1,
        f"Two images of three patches gave the shape {tuple(answer.shape)}. A loss is one number: the mean.",
    )


def one_patch_by_hand(loss: Loss) -> None:
    """The chapter's points, with s = 0.7 and K = 2; what goes wrong is told by what comes out."""
    x, w = point()
    got, d2 = one(loss, x, w, 0), (x - w).square().sum(-1)
    wrong, right = -SCALE * d2, -SCALE * d2[1:]
    ordered, said = right.sort(descending=True).values, "On the chapter's five entries and the own one:"
    products = 2 * SCALE * (w @ x)[1:]
    short = -SCALE * (x - w / w.norm(dim=-1, keepdim=True)).square().sum(-1)[1:]
    whole, near = right.logsumexp(0), ordered[:K].logsumexp(0)
    masked = torch.cat([right, torch.zeros(1)])
    refuse(
        got,
        {
            f"{said} the own entry counts in both sums with yours. It is no patch elsewhere.": ratio(wrong, K),
            f"{said} you left the own entry out below the line, but above it still is among the nearest.": whole
            - wrong.topk(K).values.logsumexp(0),
            f"{said} above the line the own entry is out, below it still counts.": wrong.logsumexp(0) - near,
            f"{said} the right number with the wrong sign. A probability below 1 has a negative logarithm.": near
            - whole,
            f"{said} the weights fall with the distance. In the formula they fall with its square.": ratio(
                -SCALE * d2[1:].sqrt(), K
            ),
            f"{said} you seem to use 2s x.w alone. Entries differ in length, so ||w||^2 does not cancel.": ratio(
                products, K
            ),
            f"{said} the entries seem to have been brought to length 1. The memory is taken as given.": ratio(short, K),
            f"{said} above the line stand the K farthest with yours. Which end of the order does topk take?": whole
            - ordered[-K:].logsumexp(0),
            f"{said} yours is a mean of K logarithms. First add up the probabilities, then take one logarithm.": whole
            - ordered[:K].mean(),
            f"{said} below the line the K nearest are missing with yours. It is the sum over all others.": ordered[
                K:
            ].logsumexp(0)
            - near,
            f"{said} only the nearest stands above the line with yours, though K = {K}.": ratio(right, 1),
            f"{said} your result is that of s = 1, though another s was given.": ratio(-d2[1:], K),
            f"{said} nothing is divided with yours: log of the sum over all others is missing.": -near,
            f"{said} the own entry seems to have the logit 0, and e^0 is 1. What has no weight?": ratio(masked, K),
            f"{said} the own entry is out twice with yours: masked, and then the first of the order dropped. That is "
            "the nearest of the others.": ratio(ordered[1:], K),
        },
    )
    expect(abs(got - ratio(right, K)) < 1e-4, f"{said} yours gives {got:.4f}, the formula {ratio(right, K):.4f}.")


def own_entry_anywhere(loss: Loss) -> None:
    """The own entry is known by its row, not by being near or by the place in the batch."""
    x, w = point()
    w, own = w.roll(2, 0), 1
    got, logits = one(loss, x, w, own), -SCALE * (x - w).square().sum(-1)
    nearest = int(logits.argmax())

    def without(row: int) -> float:
        return ratio(torch.cat([logits[:row], logits[row + 1 :]]), K)

    refuse(
        got,
        {
            "You take the nearest entry for the own one. It need not be: index says which row it is.": without(nearest),
            "The image has row 1 of the memory; yours leaves out row 0, its place in the batch.": without(0),
        },
    )
    expect(
        abs(got - without(own)) < 1e-4,
        "With another own row the result is wrong. Is it the row that index names which is left out?",
    )


def images_are_averaged(loss: Loss) -> None:
    """Two images give the mean of the two."""
    x, w = draw(2, 2, 1, 4), draw(3, 6, 1, 4)
    got = number(loss(x, w, torch.tensor([4, 3]), SCALE, K))
    singles = [one(loss, x[b, 0], w[:, 0], own) for b, own in enumerate((4, 3))]
    refuse(got, {"Two images gave the sum of their losses. The loss is a mean.": sum(singles)})
    expect(abs(got - sum(singles) / 2) < 1e-4, "Two images together do not give the mean of the two by themselves.")


def patch_meets_its_own_kind(loss: Loss) -> None:
    """Patch p is compared with patch p only."""
    x, w, own = draw(4, 1, 2, 4), draw(5, 6, 2, 4), torch.tensor([0])
    got = number(loss(x, w, own, SCALE, K))
    shuffled = w.clone()
    shuffled[1:, 1] = w[1:, 1].roll(1, 0)
    expect(
        abs(number(loss(x, shuffled, own, SCALE, K)) - got) < 1e-4,
        "The second patches of the memory changed their owners, and the loss changed. It should not know whose chest "
        "goes with whose legs: patches are compared one by one.",
    )
    singles = [one(loss, x[0, p], w[:, p], 0) for p in (0, 1)]
    refuse(got, {"Two patches gave the sum of their losses. The mean goes over the patches, too.": sum(singles)})
    expect(
        abs(got - sum(singles) / 2) < 1e-4,
        "Two patches together do not give the mean of the two by themselves. Does a chest meet legs?",
    )


def everyone_gives_nothing(loss: Loss) -> None:
    """K = N - 1: all others are the nearest, so the probability is 1; and the order of the memory is nothing."""
    x, w, own = draw(6, 1, 1, 4), draw(7, 6, 1, 4), torch.tensor([2])
    got = number(loss(x, w, own, SCALE, 5))
    expect(abs(got) < 1e-5, f"With K = N - 1 everybody is among the nearest: the loss is 0, yours is {got:.3f}.")
    same = abs(number(loss(x, w.flip(0), torch.tensor([3]), SCALE, K)) - number(loss(x, w, own, SCALE, K))) < 1e-5
    expect(same, "The memory in another order, with the own row moved along, gave another loss.")


def finite_at_a_large_scale(loss: Loss) -> None:
    """s = 100 where every entry is far: exp underflows, log-sum-exp does not."""
    x, w = torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 0], [0, 1], [0.01, -1], [-0.02, 1], [-1, 0]])
    got, want = one(loss, x, w, 0, 100.0, 1), ratio(-100 * (x - w[1:]).square().sum(-1), 1)
    said = "At s = 100, where all are far, every exp(-s d2) is 0 in this precision."
    expect(got == got and abs(got) != float("inf"), f"{said} Yours then divides 0 by 0: {got}. How can exp be avoided?")
    expect(
        abs(got - want) < 1e-3, f"{said} Yours is finite, but {got:.3f} for {want:.3f}: the cure changed the result."
    )


def exact_in_half_precision(loss: Loss) -> None:
    """Half precision comes in, the sums are made in single."""
    x, w = torch.tensor([1.0, 0.0]).half(), torch.tensor([[1, 0], [0, 1], [0.01, -1], [-0.02, 1], [0.015, 0.99]]).half()
    got, want = one(loss, x, w, 0, 60.0, 1), ratio(-60 * (x.float() - w[1:].float()).square().sum(-1), 1)
    expect(
        abs(got - want) < 2e-3,
        f"In half precision at s = 60 yours gives {got:.3f} for {want:.3f}. Three digits are too few for s d2.",
    )


def gradient_goes_to_the_nearest(loss: Loss) -> None:
    """A step downhill leads x to its nearest entry; the memory gets no gradient."""
    x, w = torch.tensor([[[0.1, 0.0]]], requires_grad=True), torch.tensor([[9.0, 9.0], [1.0, 0.0], [-1.0, 0.0]])
    memory = w[:, None].requires_grad_()
    got = loss(x, memory, torch.tensor([0]), 1.0, 1)
    tracked = isinstance(got, Tensor) and got.requires_grad
    expect(tracked, "No gradient comes back to the features: nothing would be learned. What was detached?")
    into_x, into_w = torch.autograd.grad(got, (x, memory), allow_unused=True)
    expect(into_x is not None and bool(into_x.any()), "The gradient of the features is 0 where it should not be.")
    expect(float(into_x[0, 0, 0]) < 0, "A step against the gradient leads away from the nearest entry.")
    expect(into_w is None or not bool(into_w.any()), "A gradient flows into the memory. Its entries are data.")


def by_the_library(features: Tensor, memory: Tensor, index: Tensor, scale: float, k: int) -> Tensor:
    """The library's loss."""
    return losses.pedal(features, memory, index, scale=scale, k=k)


def some_batch(draw: Draw) -> tuple[Any, ...]:
    """B images with P patches, and a memory of N."""
    b, p, d, more = sizes(draw, 4)
    n = b + p + d + more
    index = torch.from_numpy(draw.permutation(n)[:b])
    k = int(draw.integers(2, n - 2))
    return numbers(draw, b, p, d), numbers(draw, n, p, d), index, float(draw.uniform(0.03, 0.2)), k


EXERCISES = (
    Exercise(
        "pedal",
        7,
        pedal,
        (
            gives_one_number,
            one_patch_by_hand,
            own_entry_anywhere,
            images_are_averaged,
            patch_meets_its_own_kind,
            everyone_gives_nothing,
            finite_at_a_large_scale,
            exact_in_half_precision,
            gradient_goes_to_the_nearest,
            agrees(by_the_library, some_batch, slopes=(0, 1)),
        ),
        example=lambda: (torch.zeros(1, 1, 2), torch.ones(4, 1, 2), torch.tensor([1]), 1.0, 2),
    ),
)
