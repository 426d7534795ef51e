"""The receipt of one way of training on one data set, seed by seed: for networks that no study made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from paullite.data.items import ReIDDataset
from paullite.errors import InputError
from paullite.evaluation import Scores
from paullite.networks import load
from paullite.run import Run
from paullite.runs.provenance import differences, versions

from .receipts import Receipt, Trial, fingerprints, people_of, read, write
from .statistics import same_people


def write_receipt(
    path: str | Path,
    scores: Scores,
    dataset: ReIDDataset,
    *,
    net: str | None = None,
    control: str = "",
    seed: int | None = None,
    add: bool = False,
) -> Path:
    """Write what was evaluated and how it came out: a receipt with one arm, ``net``, and a trial of one seed.

    Args:
        path: a name that ends in .json; it becomes that of the study.
        scores: of the evaluation.
        dataset: on whose test the network was evaluated.
        net: the network's file. Of a run's file, the settings are told; none: the network that comes along.
        control: the name of the control in `paullite.controls` that the network was evaluated with, "" for none.
        seed: of the trial; ``None`` takes that of the run in the file, else 0.
        add: as for `write_own`, but each seed has a file, so files of other names may come together.

    Returns:
        The path.

    Raises:
        InputError: a folder that cannot be written, or a seed that cannot be added.
    """
    run = load(net) if net else None
    config = asdict(run.config) | {"output": None} if isinstance(run, Run) else {}
    told = config if seed is None else {**config, "seed": seed}
    name = Path(net).name if net else "the network that comes along"
    title = f"{name}, control {control}" if control else name
    new = _receipt(path, title, scores, dataset, told, control=control, command="paulbook evaluate")
    return _write(path, new, add, same_title=False)


def write_own(
    path: str | Path,
    title: str,
    scores: Scores,
    dataset: ReIDDataset,
    run: Mapping[str, Any],
    *,
    control: str = "",
    command: str = "a notebook",
    add: bool = False,
) -> Path:
    """Write the receipt of a network that was made by hand, as one with a backbone or a loss of your own.

    Args:
        path: a name that ends in .json; it becomes that of the study.
        title: what was trained, in a few words.
        scores: of the evaluation, on the test of ``dataset``.
        dataset: on whose test the network was evaluated.
        run: what another person must know to repeat it; its ``seed``, if there, is that of the trial.
        control: the name of the control in `paullite.controls` that the network was evaluated with, "" for none.
        command: what made it.
        add: put the trial beside those that the receipt holds. One is made if none is there.

    Returns:
        The path. ``paulbook compare`` reads it.

    Raises:
        InputError: a folder that cannot be written; or what is added has a seed that is there, another title, other
            settings or versions, or was evaluated on other test images or people.

    >>> import tempfile, paullite as pl
    >>> from paulbook.studies.compare import compare
    >>> dolls = pl.data.PaperDolls("target", identities=4, test_identities=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, seed in [("control", 0), ("mine", 0), ("control", 1), ("mine", 1)]:
    ...         scores = pl.evaluate(pl.shipped_net(), dolls)  # yours: a network that was trained with this seed
    ...         path = write_own(f"{folder}/{name}.json", name, scores, dolls, {"seed": seed}, add=True)
    ...     print(compare(f"{folder}/control.json", f"{folder}/mine.json").splitlines()[3])
    seeds 0, 1: same test people and queries
    """
    new = _receipt(path, title, scores, dataset, run, control=control, command=command)
    return _write(path, new, add)


def _receipt(
    path: str | Path,
    title: str,
    scores: Scores,
    dataset: ReIDDataset,
    run: Mapping[str, Any],
    *,
    control: str,
    command: str,
) -> Receipt:
    """One arm with one trial. The seed stands in the trial alone, so that seeds share their settings."""
    people, data = people_of(scores, dataset.query.pids or ()), fingerprints(dataset)
    told = {name: value for name, value in run.items() if name != "seed"}
    return Receipt(
        study=Path(path).stem,
        question=f"How good is {title} on {dataset.name}?",
        command=command,
        settings={"control": control or "none", "data": dataset.name, "run": told},
        arms={"net": {"title": title, "changes": {}}},
        versions=versions(),
        machine={"device": "cuda" if torch.cuda.is_available() else "cpu", "cores": os.cpu_count()},
        trials=[Trial("net", int(run.get("seed", 0)), scores.headline(), people, {}, data)],
    )


def _write(path: str | Path, new: Receipt, add: bool, same_title: bool = True) -> Path:
    """Write a receipt, or the one that is there with the new trial added."""
    if add and Path(path).is_file():
        old = read(path)
        _check_seed(old, new, path)
        _check_test(old.trials[0], new.trials[0], path)
        _check_facts(old, new, path, same_title)
        new = replace(
            old, trials=[*old.trials, *new.trials], arms={"net": {**old.arms["net"], "title": _title(old, new)}}
        )
    return write(new, Path(path).parent)


def _title(old: Receipt, new: Receipt) -> str:
    """The title of both; of networks in several files, all names."""
    one, other = (str(receipt.arms["net"]["title"]) for receipt in (old, new))
    return one if other in one.split(" + ") else f"{one} + {other}"


def _check_seed(old: Receipt, new: Receipt, path: str | Path) -> None:
    if list(old.arms) != ["net"] or not old.trials:
        found = f"found arms {', '.join(old.arms)} in {path}"
        raise InputError(
            found, "expected the receipt of one network, to which a seed can be added", "give another name"
        )
    seed, there = new.trials[0].seed, [trial.seed for trial in old.trials]
    if seed in there:
        found = f"found seed {seed} in {path} already"
        raise InputError(found, f"expected another than {', '.join(map(str, there))}", "delete the file to begin anew")


def _check_test(old: Trial, new: Trial, path: str | Path) -> None:
    if [old.data.get(part) for part in ("test", "gallery")] != [new.data.get(part) for part in ("test", "gallery")]:
        found = f"found other test images than those of {path}"
        raise InputError(found, "expected the same test for every seed", "give another name, or the same data")
    if not same_people(old, new):
        found = f"found other people, or another number of queries, than in {path}"
        raise InputError(found, "expected the same test for every seed", "is the gallery the same?")


def _check_facts(old: Receipt, new: Receipt, path: str | Path, same_title: bool) -> None:
    """Settings and versions are told once for all seeds, so they must be alike."""
    then, now = ({"settings": each.settings, "versions": each.versions} for each in (old, new))
    words = differences(then, json.loads(json.dumps(now)))  # as they will be read: lists for tuples
    titles = [each.arms["net"]["title"] for each in (old, new)]
    if same_title and titles[0] != titles[1]:
        words.insert(0, f"title {titles[0]} (now {titles[1]})")
    if words:
        raise InputError(
            f"found in {path} {', '.join(words)}", "expected seeds that differ in nothing else", "give another name"
        )
