"""Wrong answers to the gradient of chapter 7, each another misconception; and other right ones."""

import torch
from torch import Tensor

import paullite as pl


def parts(x: Tensor, memory: Tensor, own: int, scale: float, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The other entries, nearest first, their probabilities, those among the K nearest, and the logits."""
    others = torch.cat([memory[:own], memory[own + 1 :]])
    logits, order = (-scale * (x - others).square().sum(-1)).sort(descending=True)
    return others[order], logits.softmax(0), logits[:k].softmax(0), logits


def plain_means(x, memory, own, scale, k) -> Tensor:
    """All entries of a mean count alike."""
    w, _, _, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (w.mean(0) - w[:k].mean(0))


def own_in_the_mean_of_all(x, memory, own, scale, k) -> Tensor:
    """The own entry in the mean of all only."""
    w, _, q, _ = parts(x, memory, own, scale, k)
    everyone = (-scale * (x - memory).square().sum(-1)).softmax(0)
    return 2 * scale * (everyone @ memory - q @ w[:k])


def one_softmax(x, memory, own, scale, k) -> Tensor:
    """The probabilities among all, also in the mean of the K nearest, where they do not sum to 1."""
    w, p, _, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - p[:k] @ w[:k])


def against_the_others(x, memory, own, scale, k) -> Tensor:
    """The mean of those that are not among the K nearest, in place of all."""
    w, _, q, logits = parts(x, memory, own, scale, k)
    return 2 * scale * (logits[k:].softmax(0) @ w[k:] - q @ w[:k])


def underflows(x, memory, own, scale, k) -> Tensor:
    """exp without subtracting the largest: 0 / 0 at a large s."""
    w, _, _, logits = parts(x, memory, own, scale, k)
    e = logits.exp()
    return 2 * scale * (e @ w / e.sum() - e[:k] @ w[:k] / e[:k].sum())


def pull_only(x, memory, own, scale, k) -> Tensor:
    """Towards the K nearest, with nothing that pushes."""
    w, _, q, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (x - q @ w[:k])


def push_only(x, memory, own, scale, k) -> Tensor:
    """Away from all, with nothing that pulls."""
    w, p, _, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - x)


def plain_distances(x, memory, own, scale, k) -> Tensor:
    """Weights by distance, not by its square."""
    others = torch.cat([memory[:own], memory[own + 1 :]])
    logits, order = (-scale * (x - others).square().sum(-1).sqrt()).sort(descending=True)
    w = others[order]
    return 2 * scale * (logits.softmax(0) @ w - logits[:k].softmax(0) @ w[:k])


def the_nearest_alone(x, memory, own, scale, k) -> Tensor:
    """Takes the nearest entry for the mean of the K nearest."""
    w, p, _, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - w[0])


def the_k_farthest(x, memory, own, scale, k) -> Tensor:
    """The K last in place of the K first."""
    w, p, _, logits = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - logits[-k:].softmax(0) @ w[-k:])


def plain_mean_of_the_nearest(x, memory, own, scale, k) -> Tensor:
    """The mean of the K nearest without weights."""
    w, p, _, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - w[:k].mean(0))


def places_of_others_in_the_memory(x, memory, own, scale, k) -> Tensor:
    """Finds the nearest among the others, then takes these rows of the whole memory."""
    others = torch.cat([memory[:own], memory[own + 1 :]])
    logits = -scale * (x - others).square().sum(-1)
    near = logits.topk(k)
    return 2 * scale * (logits.softmax(0) @ others - near.values.softmax(0) @ memory[near.indices])


def along_the_sphere(x, memory, own, scale, k) -> Tensor:
    """Only the part that a step on the sphere can use."""
    w, p, q, _ = parts(x, memory, own, scale, k)
    slope = 2 * scale * (p @ w - q @ w[:k])
    return slope - (slope @ x) * x / (x @ x)


def right_gradient(x, memory, own, scale, k) -> Tensor:
    """Right."""
    w, p, q, _ = parts(x, memory, own, scale, k)
    return 2 * scale * (p @ w - q @ w[:k])


def by_autograd(x, memory, own, scale, k) -> Tensor:
    """Right: asks the library's loss."""
    x = x.detach().clone().requires_grad_()
    loss = pl.losses.pedal(x[None, None], memory[:, None], torch.tensor([own]), scale=scale, k=k)
    return torch.autograd.grad(loss, x)[0]


def by_forces(x, memory, own, scale, k) -> list[float]:
    """Right: every entry by itself; a list."""
    w, p, q, _ = parts(x, memory, own, scale, k)
    force = p.clone()
    force[:k] -= q
    return (2 * scale * (force[:, None] * (w - x)).sum(0)).tolist()


WRONG = {
    "pedal_gradient": (
        plain_means, own_in_the_mean_of_all, one_softmax,
        against_the_others, underflows, pull_only, push_only, plain_distances, the_nearest_alone, the_k_farthest,
        plain_mean_of_the_nearest, places_of_others_in_the_memory, along_the_sphere,
    ),
}  # fmt: skip

OTHER_RIGHT = {"pedal_gradient": (right_gradient, by_autograd, by_forces)}
