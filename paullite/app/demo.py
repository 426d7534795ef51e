"""The whole method on drawn people, in a few minutes on a laptop."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..adaptation import adapt
from ..config import PRESETS, Preset
from ..controls import batch_norm, batch_norm_by_camera, camera_mean
from ..data.paperdolls.dataset import PaperDolls
from ..evaluation import Scores, evaluate
from ..files import replacing, writable_folder
from ..networks import shipped_net
from ..pretraining import build_net, pretrain
from ..runs.provenance import versions
from .pictures import draw_curves, draw_patches, draw_rankings

ROWS = {
    "direct_transfer": "direct transfer",
    "camera_mean": "direct transfer, camera mean subtracted",
    "batch_norm_only": "batch-norm statistics only",
    "batch_norm_camera_mean": "batch-norm statistics, camera mean subtracted",
    "batch_norm_by_camera": "batch-norm statistics by camera",
    "paul": "PAUL",
    "paul_camera_mean": "PAUL, camera mean subtracted",
}
Trials = Mapping[str, Callable[[], Scores]]  # what is evaluated, by its name in ROWS
WIDE = 1 + max(map(len, ROWS.values()))
COLUMNS = {"rank1": "rank-1", "rank5": "rank-5", "map_step": "mAP", "map_trapezoid": "mAP (t)", "minp": "mINP"}


class Clock:
    """Seconds per stage: ``with clock("draw"): ...``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - began, 2)
        self.seconds["total"] = round(self.seconds.get("total", 0) + self.seconds[stage], 2)


def demo(
    output: str | Path, *, seed: int = 0, pretrained: bool = False, preset: Preset | None = None
) -> dict[str, Any]:
    """Draw people, learn with labels on the source, adapt to the target without, and judge.

    The arguments are those of the command ``paullite demo``, and ``preset``: settings of both phases, ``paperdolls`` if
    none. Returns what is written as ``report.json``: for each name in ``ROWS`` the scores in 0..1; settings, versions,
    seconds per stage. A folder that cannot be written, and settings that do not fit, are an `InputError`.
    """
    folder, preset, clock = writable_folder(output), preset or PRESETS["paperdolls"], Clock()
    phase1 = replace(preset.pretrain, seed=seed, output=str(folder / "pretrain"))
    phase2 = replace(preset.adapt, seed=seed, output=str(folder / "adapt"))
    with clock("draw"):
        source, target = PaperDolls("source", seed=seed), PaperDolls("target", seed=seed)
    with clock("pretrain"):
        before = shipped_net() if pretrained else pretrain(phase1, source, force=True).net
        again = batch_norm(before, target, seed=seed)
    trials: Trials = {
        "direct_transfer": lambda: evaluate(before, target),
        "camera_mean": lambda: evaluate(before, target, control=camera_mean(before, target)),
        "batch_norm_only": lambda: evaluate(again, target),
        "batch_norm_camera_mean": lambda: evaluate(again, target, control=camera_mean(again, target)),
        "batch_norm_by_camera": lambda: evaluate(
            before, target, control=batch_norm_by_camera(before, target, seed=seed)
        ),
    }
    scores = _scores(trials, clock)
    levels = {ROWS[name]: score.rank1 for name, score in scores.items()}
    with clock("adapt"):
        run = adapt(phase2, target, start=before, force=True)
    trials = {
        "paul": lambda: evaluate(run.net, target),
        "paul_camera_mean": lambda: evaluate(run.net, target, control=camera_mean(run.net, target)),
    }
    scores |= _scores(trials, clock)
    with clock("pictures"):
        nets = {"untrained:\nstripes": build_net(phase1, None), "before:\nsource only": before, "after:\nPAUL": run.net}
        draw_patches(nets, target.query, folder / "patches.png")
        draw_rankings({"before": before, "after": run.net}, target, folder / "rankings.png")
        draw_curves(run.history, folder / "curves.png", controls=levels)
    report: dict[str, Any] = {name: score.headline() for name, score in scores.items()}
    phases = {"pretrain": asdict(phase1) | {"output": None}, "adapt": asdict(phase2) | {"output": None}}
    report["settings"] = {"seed": seed, "pretrained": pretrained, **phases}
    report |= {"versions": versions(), "seconds": clock.seconds}
    with replacing(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _scores(trials: Trials, clock: Clock) -> dict[str, Scores]:
    scores = {}
    for name, judge in trials.items():
        with clock(name):
            scores[name] = judge()
    return scores


def table(report: Mapping[str, Any]) -> str:
    """The rows as text.

    >>> row = dict(rank1=0.25, rank5=0.5, map_step=0.2, map_trapezoid=0.19, minp=0.1)
    >>> print(table({name: row for name in ROWS}).splitlines()[1])
    direct transfer                                  25.0    50.0    20.0    19.0    10.0
    """
    lines = [f"{'%':<{WIDE}}" + "".join(f"{title:>8}" for title in COLUMNS.values())]
    for name, title in ROWS.items():
        lines.append(f"{title:<{WIDE}}" + "".join(f"{100 * report[name][column]:8.1f}" for column in COLUMNS))
    return "\n".join(lines)
