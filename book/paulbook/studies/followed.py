"""Runs of PAUL with their histories, as receipts hold them, in groups whose unlabelled columns mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import receipts
from .receipts import settings_of
from .tables import base_of

Facts = dict[str, Any]

SCORE = "map_step"
_MEMORY = ("adapt.k", "adapt.memory_momentum", "pretrain.patches")
_PEDAL = (*_MEMORY, "adapt.scale", "pretrain.feature_dim")
_CANDIDATES = ("adapt.nearest", "adapt.max_candidates", "adapt.batch", "adapt.center_momentum")
_VIEWS = ("adapt.jitter", "adapt.rotation", "adapt.crop", "adapt.image_embedding", "pretrain.patches")
_IPFL = (*_CANDIDATES, *_VIEWS, "adapt.margin", "adapt.no_negative", "pretrain.embedding_dim", "pretrain.feature_dim")
SIGNALS: dict[str, tuple[str, ...]] = {
    "loss": (*_PEDAL, *_IPFL, "adapt.pedal_weight", "adapt.ipfl_weight"),
    "pedal": _PEDAL,
    "ipfl": _IPFL,
    "vetoes": (*_CANDIDATES, *_VIEWS),
    "negatives": (*_CANDIDATES, *_VIEWS),
    "agreement": _MEMORY,
    "other_camera": _MEMORY,
}
"""The unlabelled columns of the history; for each, the settings that are part of what it measures.

Arms that differ in one of them hold different things in the same column, as if one compared metres with feet: PEDAL is
at most log((N-1)/K), whatever the network. They are never compared. Weights change no value but that of the total.
"""


@dataclass(frozen=True)
class Followed:
    """A run of PAUL with its history.

    Attributes:
        arm, seed: whose.
        default: whether its settings are those that the study compares with.
        settings: of the arm.
        world: fingerprint of the target's training images.
        score: hidden mAP (step) at the end, 0..1.
        epochs: rows of the history from epoch 1 on, in order.
    """

    arm: str
    seed: int
    default: bool
    settings: Facts
    world: str
    score: float
    epochs: tuple[Facts, ...]


def runs_of(*given: str | Path) -> list[Followed]:
    """The runs of PAUL in one or more receipts. What two studies share, with the same settings and seed, comes once.

    Args:
        given: receipts, as `receipts.read` takes them. Of several, arms are named ``STUDY:ARM``, and the default is
            that of the first.

    Raises:
        InputError: no such receipt, or one without a history.
    """
    found: dict[str, Followed] = {}
    base = ""
    for path in given:
        receipt, rows = receipts.read(path), receipts.history(path)
        base = base or _text(settings_of(receipt, base_of(receipt)))
        for trial in receipt.trials:
            settings = settings_of(receipt, trial.arm)
            own = [row for row in rows if (row["arm"], row["seed"]) == (trial.arm, trial.seed) and row["epoch"] > 0]
            if settings.get("method") == "adapt" and own:
                name = trial.arm if len(given) == 1 else f"{receipt.study}:{trial.arm}"
                same, epochs = _text(settings), tuple(sorted(own, key=lambda row: int(row["epoch"])))
                world = trial.data.get("target", "")
                run = Followed(name, trial.seed, same == base, settings, world, trial.scores[SCORE], epochs)
                found.setdefault(f"{same} {trial.seed}", run)
    return list(found.values())


def comparable(runs: Iterable[Followed], signal: str) -> list[list[Followed]]:
    """Runs in groups that learn from the same world and measure the same thing by a signal, the largest first.

    An arm that lacks a seed of its group is left out, so that all seeds compare the same arms.
    """
    groups: dict[str, list[Followed]] = {}
    for run in runs:
        measured = [_setting(run.settings, name) for name in SIGNALS[signal]]
        groups.setdefault(_text([run.settings.get("target"), measured]), []).append(run)
    return sorted((_whole(group) for group in groups.values()), key=len, reverse=True)


def _whole(group: Sequence[Followed]) -> list[Followed]:
    """The runs of the arms that have every seed of the group."""
    done = [(run.arm, run.seed) for run in group]
    seeds = {seed for _, seed in done}
    return [run for run in group if all((run.arm, seed) in done for seed in seeds)]


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    section, key = name.split(".")
    return settings.get(section, {}).get(key)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
