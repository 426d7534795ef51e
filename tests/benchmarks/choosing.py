"""``python -m tests.benchmarks.choosing``: how the preset ``paperdolls`` was chosen, on seeds that judge nothing else.

One setting after the other, in the order of `ROUNDS`: each value is tried on the seeds of `TRIED` with everything that
was chosen before, and the best replaces the present one if it is better by more than `WORTH` points of mAP on the
target. Phase 1 is judged by the mAP of its network with the statistics re-estimated, since PAUL starts there; phase 2
by the mAP after PAUL. At the end, the preset as it was and as it became meet on the seeds of `CONFIRMED`.

A trial that has a file is not run again, so a stopped search goes on where it was. Two trials run side by side, with
one thread each; the whole takes about an hour and a half on two cores. The table goes to ``choosing.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from paulbook import first

from paullite import adapt, controls, evaluate, pretrain, save
from paullite.config import Preset
from paullite.data import PaperDolls
from paullite.files import replacing
from paullite.networks import network_of
from tests.benchmarks.realism import followed

HERE = Path(__file__).parent
TRIED, CONFIRMED = (100, 101), (100, 101, 102, 103, 104)
WORTH = 0.5  # points of mAP; less is noise, and what stands stays
Changes = Mapping[str, Any]

_QUICK: dict[str, Any] = {"evaluate_every": 0, "progress": False, "dry_step": False, "device": "cpu"}
START = Preset(replace(first.PRESET.pretrain, **_QUICK), replace(first.PRESET.adapt, **_QUICK))


@dataclass(frozen=True)
class Round:
    """A setting of a phase, and the values to try besides the present one, each as the fields that it changes."""

    title: str
    phase: str
    values: tuple[Changes, ...]


ROUNDS = (
    Round(
        "schedule of the patch generator",
        "pretrain",
        (
            {"generator_epochs": (1, 10)},
            {"generator_epochs": (1, 10), "lr_generator": 1e-2},
            {"generator_epochs": (0, 0)},
        ),
    ),
    Round("IPFL's weight", "adapt", ({"ipfl_weight": 1.0}, {"ipfl_weight": 2.0})),
    Round("colours of the surrogate", "adapt", ({"jitter": (0.1, 0.1, 0.1, 0.05)}, {"jitter": (0.4, 0.4, 0.4, 0.1)})),
    Round("crop of the surrogate", "adapt", ({"crop": (0.85, 1.0)}, {"crop": (0.5, 0.95)})),
    Round("IPFL's margin", "adapt", ({"margin": 0.5}, {"margin": 2.0})),
    Round("PEDAL's scale", "adapt", ({"scale": 8.0}, {"scale": 2.0})),
    Round("PEDAL's K", "adapt", ({"k": 10}, {"k": 40})),
    Round("learning rate", "adapt", ({"lr": 0.08}, {"lr": 0.3})),
    Round("IPFL's weight, further", "adapt", ({"ipfl_weight": 4.0},)),  # since the largest value that was tried won
    Round("colours of the surrogate, further", "adapt", ({"jitter": (0.6, 0.6, 0.6, 0.2)},)),
)


def trial(preset: Preset, seed: int, phase: str, folder: Path) -> dict[str, float]:
    """What a preset reaches on a seed after a phase, from its file if it was tried before."""
    torch.set_num_threads(1)
    world, chosen = PaperDolls("target", seed=seed), {"pretrain": asdict(preset.pretrain)}
    start = folder / f"{_code(chosen, seed)}.safetensors"
    report = folder / f"{_code(chosen | ({'adapt': asdict(preset.adapt)} if phase == 'adapt' else {}), seed)}.json"
    if report.is_file():
        return dict(json.loads(report.read_text()))
    if not start.is_file():
        save(pretrain(replace(preset.pretrain, seed=seed), PaperDolls("source", seed=seed)).net, start)
    net = network_of(start)
    if phase == "adapt":
        net = adapt(replace(preset.adapt, seed=seed), world, start=net).net
        scores = evaluate(net, world)
    else:
        scores = evaluate(controls.batch_norm(net, world), world)
    found = {"rank1": 100 * scores.rank1, "map": 100 * scores.map_step, "followed": followed(net, world)}
    with replacing(report) as temporary:
        temporary.write_text(json.dumps(found))
    return found


def _code(settings: Changes, seed: int) -> str:
    return hashlib.sha256(json.dumps([settings, seed], sort_keys=True).encode()).hexdigest()[:12]


def changed(preset: Preset, phase: str, values: Changes) -> Preset:
    """The preset with some fields of one phase replaced."""
    return replace(preset, **{phase: replace(getattr(preset, phase), **values)})


def try_all(
    presets: Sequence[Preset], phase: str, seeds: Sequence[int], folder: Path, pool: ProcessPoolExecutor
) -> list[list[dict[str, float]]]:
    """Every preset on every seed; the first preset of each seed before the others, since they share its phase 1."""
    jobs = {(i, seed): pool.submit(trial, presets[i], seed, phase, folder) for i in (0,) for seed in seeds}
    for job in jobs.values():
        job.result()
    jobs |= {
        (i, seed): pool.submit(trial, presets[i], seed, phase, folder) for i in range(1, len(presets)) for seed in seeds
    }
    return [[jobs[i, seed].result() for seed in seeds] for i in range(len(presets))]


def choose(folder: Path) -> str:
    """The whole search; returns its table in Markdown."""
    preset, lines = START, ["| round | tried | rank-1 / mAP | followed | |", "|---|---|---|---|---|"]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for one in ROUNDS:
            options: list[Changes] = [{}, *one.values]
            found = try_all([changed(preset, one.phase, values) for values in options], one.phase, TRIED, folder, pool)
            maps = [mean(row["map"] for row in rows) for rows in found]
            best = max(range(len(maps)), key=maps.__getitem__)
            best = best if maps[best] > maps[0] + WORTH else 0
            for i, (values, rows) in enumerate(zip(options, found, strict=True)):
                shown = values or {name: getattr(getattr(preset, one.phase), name) for name in _fields(one)}
                lines.append(_line(one.title if i == 0 else "", shown, rows, "chosen" if i == best else ""))
                print(lines[-1], flush=True)
            preset = changed(preset, one.phase, options[best])
        last = try_all([START, preset], "adapt", CONFIRMED, folder, pool)
    for title, rows in zip(("before", "chosen"), last, strict=True):
        lines.append(_line(f"seeds {CONFIRMED[0]}-{CONFIRMED[-1]}", {}, rows, title))
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _fields(one: Round) -> list[str]:
    return list(dict.fromkeys(name for values in one.values for name in values))


def _line(title: str, values: Changes, rows: Sequence[Mapping[str, float]], note: str) -> str:
    text = ", ".join(f"{name} {value}" for name, value in values.items())
    score = f"{mean(row['rank1'] for row in rows):.1f} / {mean(row['map'] for row in rows):.1f}"
    return f"| {title} | {text} | {score} | {mean(row['followed'] for row in rows):+.2f} | {note} |"


def main() -> None:
    """Search and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="runs/choosing", help="folder of the trials; delete it to start anew")
    folder = Path(parser.parse_args().output)
    folder.mkdir(parents=True, exist_ok=True)
    (HERE / "choosing.md").write_text(f"# How the preset was chosen\n\n{choose(folder)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
