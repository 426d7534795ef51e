"""The figure of chapter 8: centers in the plane moved by keys, and cyclic ranking as paullite computes it."""

from __future__ import annotations

import random
from typing import Any

import torch

import paullite as pl
from paullite.losses import cyclic_ranking

STEP = 4
MOVES = {"ArrowLeft": (-STEP, 0), "ArrowRight": (STEP, 0), "ArrowUp": (0, STEP), "ArrowDown": (0, -STEP)}
NAMES = ("view x", *(f"center {letter}" for letter in "012345"))
AGAIN = "Start again"


def settings(rng: random.Random) -> list[dict[str, Any]]:
    """Some points pushed a few steps each, with a ranking list of some length; once the figure starts again."""
    found: list[dict[str, Any]] = []
    for i in range(20):
        presses = [[f"Move {rng.choice(NAMES)}", rng.choice(list(MOVES))] for _ in range(3)]
        found.append({"keys": [press for press in presses for _ in range(4)], "nearest": float(rng.randint(1, 6))})
        if i == 11:
            found[-1] = {"keys": [[AGAIN, "Enter"]]}
    return found


def replayed(history: list[dict[str, Any]], data: dict[str, Any]) -> tuple[list[list[int]], int]:
    """Where everything is after all settings so far, and the length of the lists."""
    start = [list(point["at"]) for point in data["points"]]
    assert tuple(point["name"] for point in data["points"]) == NAMES
    at, nearest = [list(p) for p in start], data["nearest"]
    for setting in history:
        for name, key in setting.get("keys", []):
            if name == AGAIN:
                at, nearest = [list(p) for p in start], data["nearest"]
            else:
                n = NAMES.index(name.removeprefix("Move "))
                at[n] = [min(100, max(0, value + move)) for value, move in zip(at[n], MOVES[key], strict=True)]
        nearest = int(setting.get("nearest", nearest))
    return at, nearest


def expected(history: list[dict[str, Any]], data: dict[str, Any]) -> dict[str, str]:
    """The read-outs for the last setting, in double precision."""
    (at, nearest), unit = replayed(history, data), data["unit"]
    view, *centers = torch.tensor(at, dtype=torch.float64)
    e, c, owner = view[None], torch.stack(centers), torch.tensor([0])
    order, vetoed = cyclic_ranking(e, c, owner, nearest=nearest)
    vetoes = int(vetoed[0].cumprod(0).sum())
    found = vetoes < order.shape[1]
    loss = pl.losses.ipfl(e / unit, c / unit, owner, margin=data["margin"], nearest=nearest)
    two = lambda value: f"{float(value) + 1e-9:.2f}"  # noqa: E731
    negative = int(order[0, vetoes]) if found else -1
    return {
        "order": " ".join(map(str, order[0].tolist())),
        "vetoes": str(vetoes),
        "negative": str(negative) if found else "none",
        "pos": two((e - c[0]).norm() / unit),
        "neg": two((e - c[negative]).norm() / unit) if found else "none",
        "loss": two(loss),
    }
