"""The ranked list of chapter 1: pictures moved by keys; the scores as paullite computes them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from paullite.evaluation import RankingRules, score_ranking

KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End")
STEPS = {"ArrowLeft": -1, "ArrowUp": -1, "ArrowRight": 1, "ArrowDown": 1, "Home": -99, "End": 99}
COUNT, AGAIN = "Count junk and own camera too", "Start again"
NAMES = tuple(
    f"{letter}: {kind}"
    for letter, kind in zip(
        "ABCDEFGH",
        ("own camera", "match", "other", "match", "junk", "other", "match", "distractor"),
        strict=True,
    )
)


def settings(rng: random.Random) -> list[dict[str, Any]]:
    """Three moves each; now and then everything is counted, or the figure starts again."""
    found = []
    for i in range(20):
        presses = [[rng.choice(NAMES), rng.choice(KEYS)] for _ in range(3)]
        found.append(
            {"keys": [*presses, *([[COUNT, "Enter"]] if i % 3 == 1 else []), *([[AGAIN, "Enter"]] * (i == 11))]}
        )
    return found


def replayed(history: list[dict[str, Any]], data: dict[str, Any]) -> tuple[list[dict[str, str]], bool]:
    """Order of the pictures and whether everything is counted, after all presses so far."""
    order, everything = list(data["items"]), False
    for name, key in (press for setting in history for press in setting["keys"]):
        if name == COUNT:
            everything = not everything
        elif name == AGAIN:
            order, everything = list(data["items"]), False
        else:
            item = next(i for i in order if f"{i['name']}: {i['kind']}" == name)
            place = min(max(order.index(item) + STEPS[key], 0), len(order) - 1)
            order.remove(item)
            order.insert(place, item)
    return order, everything


def expected(history: list[dict[str, Any]], data: dict[str, Any]) -> dict[str, str]:
    """The read-outs after all settings so far."""
    assert tuple(f"{item['name']}: {item['kind']}" for item in data["items"]) == NAMES
    order, everything = replayed(history, data)
    junk = 6 if everything else -1  # a person like any other, where junk is counted
    pids = [{"match": 5, "own camera": 5, "junk": junk}.get(item["kind"], 7) for item in order]
    camids = [0 if item["kind"] == "own camera" else 1 for item in order]
    angle = np.arange(len(order)) / 10
    gallery, query = np.stack([np.cos(angle), np.sin(angle)], 1), np.array([[1.0, 0.0]])
    columns = ([5], pids, None, None) if everything else ([5], pids, [0], camids)
    scores = score_ranking(query, gallery, *columns)
    matches, left_out = RankingRules.of(1, len(order), *columns, None)(0)
    kept = [place for place in range(len(order)) if place not in left_out]
    two = lambda value: f"{value + 1e-9:.2f}"  # noqa: E731
    return {
        "ranks": ", ".join(str(rank) for rank, place in enumerate(kept, start=1) if place in matches),
        "rank1": f"{scores.rank1:.0f}",
        "step": two(scores.map_step),
        "trapezoid": two(scores.map_trapezoid),
        "minp": two(scores.minp),
    }
