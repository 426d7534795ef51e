"""The receipt of one network on one data set, as ``paullite evaluate --receipt`` writes it."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ..checkpoints import load
from ..data.items import ReIDDataset
from ..evaluation import Scores
from ..training import Run, fingerprint, versions
from .receipts import Receipt, Trial, people_of, write


def write_receipt(
    path: str | Path, scores: Scores, dataset: ReIDDataset, net: str | None = None, batch_norm: bool = False
) -> Path:
    """Write what was judged and how it came out: a receipt with one arm, ``net``, and one trial.

    Args:
        path: a name that ends in .json; it becomes that of the study.
        scores: of the judge.
        dataset: on whose test the network was judged.
        net: the network's file. Of a run's file, the settings are told; none: the network that comes along.
        batch_norm: whether the batch-norm statistics were taken anew.

    Returns:
        The path.

    Raises:
        InputError: a folder that cannot be written.
    """
    run = load(net) if net else None
    config = asdict(run.config) | {"output": None} if isinstance(run, Run) else {}
    name = Path(net).name if net else "the network that comes along"
    title = f"{name}, batch-norm statistics taken anew" if batch_norm else name
    return write_own(path, title, scores, dataset, config, batch_norm=batch_norm, command="paullite evaluate")


def write_own(
    path: str | Path,
    title: str,
    scores: Scores,
    dataset: ReIDDataset,
    run: dict[str, Any],
    *,
    batch_norm: bool = False,
    command: str = "a notebook",
) -> Path:
    """Write the receipt of a network that was made by hand, as one with a backbone or a loss of your own.

    Args:
        path: a name that ends in .json; it becomes that of the study.
        title: what was trained, in a few words.
        scores: of the judge, on the test of ``dataset``.
        dataset: on whose test the network was judged.
        run: what another person must know to repeat it; its ``seed``, if there, is that of the trial.
        batch_norm: whether the batch-norm statistics were taken anew.
        command: what made it.

    Returns:
        The path. ``paullite compare`` reads it.

    Raises:
        InputError: a folder that cannot be written.
    """
    people, data = people_of(scores, dataset.query.pids or ()), {"target": fingerprint(dataset.query)}
    receipt = Receipt(
        study=Path(path).stem,
        question=f"How good is {title} on {dataset.name}?",
        command=command,
        settings={"batch_norm": batch_norm, "data": dataset.name, "run": run},
        arms={"net": {"title": title, "changes": {}}},
        versions=versions(),
        machine={"device": "cuda" if torch.cuda.is_available() else "cpu", "cores": os.cpu_count()},
        trials=[Trial("net", int(run.get("seed", 0)), scores.headline(), people, {}, data)],
    )
    return write(receipt, Path(path).parent)
