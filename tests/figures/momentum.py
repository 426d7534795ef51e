"""The figure of chapter 6: memories behind moving features, against paullite's own."""

import random

import torch

import paullite as pl


def settings(rng: random.Random) -> list[dict[str, float]]:
    """Twenty places of the three sliders, on their steps."""
    return [
        {
            "momentum": round(0.02 * rng.randint(1, 50), 2),
            "drift": 0.5 * rng.randint(0, 24),
            "noise": float(rng.randint(0, 60)),
        }
        for _ in range(20)
    ]


def unit(degrees: torch.Tensor) -> torch.Tensor:
    """The points of the unit circle in some directions, as the features of images with one patch each."""
    angle = torch.deg2rad(degrees)
    return torch.stack([angle.cos(), angle.sin()], -1).view(-1, 1, 2)


def expected(history: list[dict[str, float]], data: dict) -> dict[str, str]:
    """The read-outs for the last setting, means over the images, by the library's memory in double precision."""
    now, noise = history[-1], torch.tensor(data["noise"], dtype=torch.float64)  # visits images
    visits, images = noise.shape
    memory = pl.memory.FeatureMemory(images, 1, 2, momentum=now["momentum"]).double()
    for visit, amounts in enumerate(noise):
        memory.update(torch.arange(images), unit(visit * now["drift"] + amounts * now["noise"]))
    truth = unit(torch.tensor([(visits - 1) * now["drift"]], dtype=torch.float64))
    lag, norm = (memory.features - truth).norm(dim=-1).mean(), memory.features.norm(dim=-1).mean()
    return {name: f"{value.item() + 1e-9:.3f}" for name, value in {"lag": lag, "norm": norm}.items()}
