"""The figure of chapter 7: one feature among the entries of a memory, against paullite's PEDAL and its gradient."""

import random

import torch

import paullite as pl


def settings(rng: random.Random) -> list[dict[str, float]]:
    """Twenty places of the three sliders, on their steps; the last with K = N - 1."""
    found = [
        {"K": float(rng.randint(1, 5)), "s": 0.25 * rng.randint(1, 80), "angle": float(rng.randrange(360))}
        for _ in range(19)
    ]
    return [*found, {"K": 5.0, "s": 8.0, "angle": 40.0}]


def expected(history: list[dict[str, float]], data: dict) -> dict[str, str]:
    """The read-outs for the last setting, by the library in double precision."""
    now = history[-1]
    memory = torch.tensor(data["entries"], dtype=torch.float64)[:, None]  # N 1 2
    assert len(memory) == 6, "the slider K of these settings goes to N - 1 = 5"
    angle = torch.deg2rad(torch.tensor(now["angle"], dtype=torch.float64))
    x = torch.stack([angle.cos(), angle.sin()]).view(1, 1, 2).requires_grad_()
    loss = pl.losses.pedal(x, memory, torch.tensor([data["own"]]), scale=now["s"], k=int(now["K"]))
    (gradient,) = torch.autograd.grad(loss, x)
    values = {"loss": loss, "mass": (-loss).exp(), "gradient": gradient.norm()}
    return {name: f"{abs(value.item()) + 1e-9:.3f}" for name, value in values.items()}
