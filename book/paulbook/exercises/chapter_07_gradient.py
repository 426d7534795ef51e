"""Exercise 7.2: the gradient of PEDAL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from paullite import losses

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, expect
from .chapter_07 import SCALE, K, draw, point, refuse

Gradient = Callable[..., Any]


def pedal_gradient(x: Tensor, memory: Tensor, own: int, scale: float, k: int) -> Tensor:
    """Gradient of one patch's loss by its feature: the book's own answer."""
    others = torch.cat([memory[:own], memory[own + 1 :]])  # N-1 D
    logits = -scale * (x - others).square().sum(-1)
    near = logits.topk(k)
    mean_all = logits.softmax(0) @ others
    mean_near = near.values.softmax(0) @ others[near.indices]
    return 2 * scale * (mean_all - mean_near)


def direction(gradient: Gradient, x: Tensor, w: Tensor, own: int, scale: float = SCALE, k: int = K) -> Tensor:
    """What the reader's function gives, as a tensor."""
    return torch.as_tensor(gradient(x, w, own, scale, k)).detach().float()


def gives_a_vector(gradient: Gradient) -> None:
    """As long as the feature."""
    got = direction(gradient, draw(8, 3), draw(9, 6, 3), 2)
    expect(
        got.shape == (3,), f"The feature has 3 numbers, so has its gradient. Yours has the shape {tuple(got.shape)}."
    )


def gradient_by_hand(gradient: Gradient) -> None:
    """The chapter's points; what goes wrong is told by what comes out."""
    x, w = point()
    got, want, said = direction(gradient, x, w, 0), pedal_gradient(x, w, 0, SCALE, K), "On the chapter's points:"
    everyone, others = -SCALE * (x - w).square().sum(-1), w[1:]
    p, order = everyone[1:].softmax(0).sort(descending=True)
    ranked, logits = others[order], everyone[1:][order]
    near, mean_all, mean_near = p[:K] / p[:K].sum(), p @ ranked, (p[:K] / p[:K].sum()) @ ranked[:K]
    rooted = -SCALE * (x - ranked).square().sum(-1).sqrt()
    factor, own_first = 2 * SCALE, everyone.topk(K)
    refuse(
        got,
        {
            f"{said} yours points the other way. The gradient leads uphill, away from the nearest.": -want,
            f"{said} the direction is right, the length is not: what is the slope of -s d2 in x?": want / factor,
            f"{said} yours is half as long as it should be. A square has a slope of twice the distance.": want / 2,
            f"{said} your means count all their entries alike. Nearer ones weigh more.": factor
            * (others.mean(0) - ranked[:K].mean(0)),
            f"{said} the own entry is in both means with yours.": factor
            * (everyone.softmax(0) @ w - own_first.values.softmax(0) @ w[own_first.indices]),
            f"{said} the own entry is still in the mean of all.": factor * (everyone.softmax(0) @ w - mean_near),
            f"{said} the weights of the K nearest do not sum to 1 with yours, so that is no mean.": factor
            * (mean_all - p[:K] @ ranked[:K]),
            f"{said} your first mean leaves the K nearest out. Below the line stand all others.": factor
            * (logits[K:].softmax(0) @ ranked[K:] - mean_near),
            f"{said} you measure from x itself. One of the two means is missing, the one that pushes.": factor
            * (x - mean_near),
            f"{said} nothing pulls with yours. One of the two means is x itself.": factor * (mean_all - x),
            f"{said} your weights fall with the distance, not with its square.": factor
            * (rooted.softmax(0) @ ranked - rooted[:K].softmax(0) @ ranked[:K]),
            f"{said} your second mean is the nearest entry alone, though K = {K}.": factor * (mean_all - ranked[0]),
            f"{said} s stands in the weights with yours, not before the means. The slope of -s d2 has it, too.": want
            / SCALE,
            f"{said} your second mean counts the K nearest alike. They are weighted, too, by their own softmax.": factor
            * (mean_all - ranked[:K].mean(0)),
            f"{said} your second mean takes other rows than the nearest. Places found among the others (without the "
            "own row) do not fit the whole memory.": factor * (mean_all - near @ w[order[:K]]),
            f"{said} yours is the part along the sphere only. Asked is the slope in x, which may go anywhere.": (
                want - (want @ x) * x
            ),
            f"{said} your second mean is that of the K farthest.": factor
            * (mean_all - logits[-K:].softmax(0) @ ranked[-K:]),
        },
    )
    right = bool(((got - want).abs() < 1e-4).all())
    expect(
        right,
        f"{said} yours is ({float(got[0]):.2f}, {float(got[1]):.2f}), the gradient ({float(want[0]):.2f}, "
        f"{float(want[1]):.2f}). Print your two means: that of all is ({float(mean_all[0]):.2f}, "
        f"{float(mean_all[1]):.2f}), that of the K nearest ({float(mean_near[0]):.2f}, {float(mean_near[1]):.2f}).",
    )


def everyone_pulls_nowhere(gradient: Gradient) -> None:
    """K = N - 1: the two means are one."""
    got = direction(gradient, draw(10, 4), draw(11, 6, 4), 3, k=5)
    expect(bool((got.abs() < 1e-5).all()), "With K = N - 1 both means go over the same entries: the gradient is 0.")


def gradient_is_finite(gradient: Gradient) -> None:
    """s = 100 where every entry is far."""
    x, w = torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 0], [0, 1], [0.01, -1], [-0.02, 1], [-1, 0]])
    got = direction(gradient, x, w, 0, 100.0, 1)
    expect(bool(got.isfinite().all()), "At s = 100, where all are far, every exp is 0: yours divides 0 by 0.")


def by_autograd(x: Tensor, memory: Tensor, own: int, scale: float, k: int) -> Tensor:
    """What autograd makes of the library's loss."""
    leaf = x.clone().requires_grad_()
    loss = losses.pedal(leaf[None, None], memory[:, None], torch.tensor([own]), scale=scale, k=k)
    return torch.autograd.grad(loss, leaf)[0]


def some_patch(draw: Draw) -> tuple[Any, ...]:
    """One feature and a memory of N entries."""
    d, more = sizes(draw, 2)
    n = d + more + 3
    own, k = int(draw.integers(n)), int(draw.integers(2, n - 2))
    return numbers(draw, d), numbers(draw, n, d), own, float(draw.uniform(0.03, 0.2)), k


EXERCISES = (
    Exercise(
        "pedal_gradient",
        7,
        pedal_gradient,
        (gives_a_vector, gradient_by_hand, everyone_pulls_nowhere, gradient_is_finite, agrees(by_autograd, some_patch)),
        example=lambda: (torch.zeros(2), torch.ones(4, 2), 1, 1.0, 2),
    ),
)
