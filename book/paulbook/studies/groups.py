"""The study of failures: PAUL's networks and their controls, group by group, and the worst queries as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from paullite.controls import batch_norm
from paullite.data import PaperDolls
from paullite.files import replacing, write_csv
from paullite.models import PatchNet
from paullite.networks import network_of

from .failures import breakdown, draw_worst, same_scene, twins, worst_queries
from .rankings import Features, features_of
from .receipts import write
from .runner import outcomes_of, receipt_of
from .settings import Settings
from .studies import FAILURES
from .trial import key_of, source_net

GROUPED_BY = ("camera pair", "view", "garment", "occluder")


def run_failures(
    folder: str | Path = "runs/experiments",
    *,
    seeds: Sequence[int] = (),
    jobs: int = 0,
    say: Callable[[str], None] = print,
) -> Path:
    """Look again at the networks of PAUL, which are trained first if they are missing.

    Writes the receipt ``failures.json``; ``failures-groups.csv``, a row for each network, seed and group; and
    ``failures-worst.png``, the worst queries of the first seed.

    Args:
        folder: where `run_study` keeps trials and networks.
        seeds: instead of 0 to 4.
        jobs: trainings at a time; 0: one for each core.
        say: is given a line for each trial.

    Returns:
        The receipt's JSON file.
    """
    folder, seeds = Path(folder), tuple(seeds or FAILURES.seeds)
    outcomes = outcomes_of(FAILURES, folder, seeds, jobs, say)
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        target = PaperDolls("target", seed=seed, **Settings().target)
        looks = {name: features_of(net, target) for name, net in networks(seed, target, folder).items()}
        rows += [{"net": name, "seed": seed, **row} for name, found in looks.items() for row in groups(found, target)]
        if seed == seeds[0]:
            picture(looks["direct"], looks["paul"], target, folder / "failures-worst.png")
    write_csv(folder / "failures-groups.csv", rows)
    return write(receipt_of("failures", FAILURES, seeds, outcomes), folder)


def networks(seed: int, target: PaperDolls, folder: Path) -> dict[str, PatchNet]:
    """The three networks of a seed, by arm."""
    start, key = source_net(Settings(), seed, folder), key_of(Settings().facts(), seed)
    paul = network_of(folder / "nets" / f"{key}.safetensors")
    return {"direct": start, "batch_norm": batch_norm(start, target, seed=seed), "paul": paul}


def groups(features: Features, target: PaperDolls) -> list[dict[str, Any]]:
    """Scores by camera pair, view, garment and occluder; what wrong first places share, against chance."""
    rows = [row for by in GROUPED_BY for row in breakdown(features, target, by)]
    return [*map(dict, rows), *map(dict, twins(features, target)), *map(dict, same_scene(features, target))]


def picture(before: Features, after: Features, target: PaperDolls, path: Path, *, each: int = 3) -> None:
    """The queries that PAUL finds worst, then those that it made worse."""
    worst = worst_queries(before, after, target, each)
    places = list(dict.fromkeys([*worst.lowest, *worst.lost]))
    with replacing(path) as temporary:
        draw_worst(before, after, target, places).savefig(temporary, format="png", dpi=110)
