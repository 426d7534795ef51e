"""The whole method on drawn people, in a few minutes on a laptop."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
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
from ..models import PatchNet
from ..networks import shipped_net
from ..pretraining import build_net, pretrain
from ..runs.provenance import versions
from .pictures import draw_curves, draw_patches, draw_rankings

ROWS = {
    "direct_transfer": "direct transfer",
    "batch_norm_only": "batch-norm statistics only",
    "camera_mean": "camera mean subtracted",
    "batch_norm_by_camera": "batch-norm statistics by camera",
    "paul": "PAUL",
    "paul_camera_mean": "PAUL, camera mean subtracted",
}


def demo(
    output: str | Path, *, seed: int = 0, pretrained: bool = False, preset: Preset | None = None
) -> dict[str, Any]:
    """Draw people, learn with labels on the source, adapt to the target without, and judge.

    Args:
        output: folder for report.json and the pictures.
        seed: draws the people and starts the networks.
        pretrained: take the source network that comes with the package instead of training one.
        preset: settings of both phases; the preset ``paperdolls`` if none.

    Returns:
        The report, as written to ``report.json``: for each name in `ROWS` the scores in 0..1; settings, versions, and
        seconds per stage.

    Raises:
        InputError: the folder cannot be written, or settings that do not fit.
    """
    folder, preset, clock = Path(output), preset or PRESETS["paperdolls"], Clock()
    phase1 = replace(preset.pretrain, seed=seed, output=str(folder / "pretrain"))
    phase2 = replace(preset.adapt, seed=seed, output=str(folder / "adapt"))
    writable_folder(folder)
    with clock("draw"):
        source, target = PaperDolls("source", seed=seed), PaperDolls("target", seed=seed)
    with clock("pretrain"):
        before = shipped_net() if pretrained else pretrain(phase1, source, force=True).net
    scores = evaluate_controls(before, target, seed, clock)
    controls = {ROWS[name]: score.rank1 for name, score in scores.items()}
    with clock("adapt"):
        run = adapt(phase2, target, start=before, force=True)
    with clock("paul"):
        scores["paul"] = evaluate(run.net, target)
    with clock("paul_camera_mean"):
        scores["paul_camera_mean"] = evaluate(run.net, target, control=camera_mean(run.net, target))
    with clock("pictures"):
        draw_all(folder, build_net(phase1, None), before, run.net, target)
        draw_curves(run.history, folder / "curves.png", controls=controls)
    report: dict[str, Any] = {name: score.headline() for name, score in scores.items()}
    report |= {"settings": settings(seed, pretrained, phase1, phase2), "versions": versions(), "seconds": clock.seconds}
    with replacing(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def evaluate_controls(net: PatchNet, target: PaperDolls, seed: int, clock: Clock) -> dict[str, Scores]:
    """What the network is worth before PAUL: as it is, and with every control."""
    with clock("direct_transfer"):
        scores = {"direct_transfer": evaluate(net, target)}
    with clock("batch_norm_only"):
        scores["batch_norm_only"] = evaluate(net, target, control=batch_norm(net, target, seed=seed))
    with clock("camera_mean"):
        scores["camera_mean"] = evaluate(net, target, control=camera_mean(net, target))
    with clock("batch_norm_by_camera"):
        control = batch_norm_by_camera(net, target, seed=seed)
        scores["batch_norm_by_camera"] = evaluate(net, target, control=control)
    return scores


def draw_all(folder: Path, start: PatchNet, before: PatchNet, after: PatchNet, target: PaperDolls) -> None:
    """Patches and ranked lists, before and after."""
    draw_patches(
        {"untrained:\nstripes": start, "before:\nsource only": before, "after:\nPAUL": after},
        target.query,
        folder / "patches.png",
    )
    draw_rankings({"before": before, "after": after}, target, folder / "rankings.png")


def table(report: dict[str, Any]) -> str:
    """The rows as text.

    >>> row = dict(rank1=0.25, rank5=0.5, map_step=0.2, map_trapezoid=0.19, minp=0.1)
    >>> print(table({name: row for name in ROWS}).splitlines()[1])
    direct transfer                    25.0    50.0    20.0    19.0    10.0
    """
    columns = {"rank1": "rank-1", "rank5": "rank-5", "map_step": "mAP", "map_trapezoid": "mAP (t)", "minp": "mINP"}
    lines = [f"{'%':<31}" + "".join(f"{title:>8}" for title in columns.values())]
    for name, title in ROWS.items():
        lines.append(f"{title:<31}" + "".join(f"{100 * report[name][column]:8.1f}" for column in columns))
    return "\n".join(lines)


def settings(seed: int, pretrained: bool, phase1: Any, phase2: Any) -> dict[str, Any]:
    """What the run was asked for; folders are left out."""
    phases = {"pretrain": asdict(phase1), "adapt": asdict(phase2)}
    return {"seed": seed, "pretrained": pretrained} | {k: v | {"output": None} for k, v in phases.items()}


class Clock:
    """Seconds per stage: ``with clock("draw"): ...``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - began, 2)
        self.seconds["total"] = round(sum(v for k, v in self.seconds.items() if k != "total"), 2)
