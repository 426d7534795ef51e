"""The figure of chapter 4 that moves a patch: sliders, and what paullite computes for them."""

import random

import torch

import paullite as pl

SLIDERS = {"scale": (0, 1.5), "shear": (-1, 1), "shift": (-1.5, 1.5)}
NAMES = ("scale x", "shear x", "shift x", "shear y", "scale y", "shift y")
STEP = 0.05


def settings(rng: random.Random) -> list[dict[str, float]]:
    """Twenty places of all sliders, on their steps; many patches leave the picture."""
    found = []
    for _ in range(20):
        setting: dict[str, float] = {}
        for name in NAMES:
            low, high = SLIDERS[name[:5]]
            setting[name] = round(low + STEP * int(rng.random() * ((high - low) / STEP + 1)), 2)
        found.append(setting | {"align_corners": float(rng.random() < 0.5)})
    return found


def expected(history: list[dict[str, float]], data: dict) -> dict[str, str]:
    """The read-outs for the last setting, by the library."""
    now = history[-1]
    theta = torch.tensor([now[name] for name in NAMES], dtype=torch.float64).view(1, 1, 2, 3)
    corners = bool(now["align_corners"])
    attention = pl.models.patch_attention(theta, data["height"], data["width"], align_corners=corners)
    pooled = pl.models.pool_patches(attention, torch.tensor(data["map"], dtype=torch.float64)[None])
    row, column = data["cell"]
    values = [attention.sum(), attention[0, 0, row, column], *pooled[0, 0]]
    names = ("mass", "weight", "red", "green", "blue")
    return {name: f"{value.item() + 1e-9:.3f}" for name, value in zip(names, values, strict=True)}
