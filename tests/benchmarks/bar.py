"""``make bar``: the demo on seeds 0 to 4, once, and the table of what it reached.

Seeds that have a report already are not run again, so a stopped run goes on where it was. Settings were chosen on the
seeds 100 to 104 (``make bar SEEDS="100 101 102 103 104"`` shows those and writes no table).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from paullite import PRESETS, Scores, evaluate, pretrain
from paullite.app.demo import ROWS, demo
from paullite.app.pictures import draw_rankings
from paullite.data import PaperDolls
from paullite.networks import network_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SEEDS = (0, 1, 2, 3, 4)
PHASES = {"before": "pretrain", "after": "adapt"}
COLUMNS = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "map_step": "mAP (step)",
    "map_trapezoid": "mAP (trapezoid)",
    "minp": "mINP",
}
# what PAUL has to add, in points: mean over the seeds; no seed may stay below half of it
BAR = {("direct_transfer", "rank1"): 20, ("direct_transfer", "map_step"): 15}
BAR |= {("batch_norm_only", "rank1"): 8, ("batch_norm_only", "map_step"): 6}

Report = Mapping[str, Any]


def run(seed: int, folder: Path) -> Report:
    """The report of a seed, from its file if the demo has run."""
    path = folder / f"seed{seed}" / "report.json"
    report = json.loads(path.read_text()) if path.is_file() else demo(path.parent, seed=seed)
    report["supervised"] = supervised(seed, path.parent)
    print(f"seed {seed}: {', '.join(f'{gain(report, *key):+.1f} {key[1]} over {key[0]}' for key in BAR)}", flush=True)
    return report


def supervised(seed: int, folder: Path) -> dict[str, float]:
    """The ceiling: the same network trained with the labels of the target, which PAUL never sees."""
    path = folder / "supervised.json"
    if not path.is_file():
        path.write_text(json.dumps(with_labels(PaperDolls("target", seed=seed)).headline()))
    return json.loads(path.read_text())


def with_labels(target: PaperDolls) -> Scores:
    """Scores of the preset's network, trained with the labels of a target and with its seed."""
    config = replace(PRESETS["paperdolls"].pretrain, seed=target.seed, evaluate_every=0)
    return evaluate(pretrain(config, target).net, target)


def gain(report: Report, control: str, column: str) -> float:
    """Points that PAUL adds to a control."""
    return 100 * (report["paul"][column] - report[control][column])


def scores_table(reports: Sequence[Report]) -> str:
    """Mean over the seeds of every score, in Markdown."""
    lines = [
        f"| %, mean of seeds {SEEDS[0]}-{SEEDS[-1]} | {' | '.join(COLUMNS.values())} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for name, title in {**ROWS, "supervised": "trained with the target's labels"}.items():
        if any(name not in report for report in reports):  # made before the row was
            continue
        cells = [f"{100 * mean(r[name][column] for r in reports):.1f}" for column in COLUMNS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def gains_table(reports: Sequence[Report]) -> str:
    """What PAUL adds, per seed and against the bar, in Markdown."""
    seeds = " | ".join(f"seed {seed}" for seed in SEEDS)
    lines = [f"| PAUL adds, in points | {seeds} | mean | asked | reached |", f"|---|{'---|' * (len(SEEDS) + 3)}"]
    for (control, column), asked in BAR.items():
        gains = [gain(report, control, column) for report in reports]
        reached = "yes" if mean(gains) >= asked and min(gains) >= asked / 2 else "no"
        cells = [f"{g:+.1f}" for g in [*gains, mean(gains)]]
        lines.append(f"| {COLUMNS[column]} over {ROWS[control]} | {' | '.join(cells)} | +{asked} | {reached} |")
    return "\n".join(lines)


def closed_line(reports: Sequence[Report]) -> str:
    """How much of the way from direct transfer to the ceiling the batch-norm control goes."""
    names = ("direct_transfer", "batch_norm_only", "supervised")
    direct, control, ceiling = (mean(report[name]["rank1"] for report in reports) for name in names)
    share = (control - direct) / (ceiling - direct)
    return f"Batch-norm statistics alone close {share:.0%} of the rank-1 gap between direct transfer and the labels."


def seconds_line(reports: Sequence[Report]) -> str:
    """How long it took: the quickest run, since other work on the same machine makes a run several times as long."""
    quickest = min(report["seconds"]["total"] for report in reports)
    return f"The quickest of these runs took {quickest:.0f} seconds on 2 cores, pretraining included."


def write(reports: Sequence[Report]) -> None:
    """The table and the numbers behind it, and the short form in the README."""
    parts = (scores_table(reports), gains_table(reports), closed_line(reports), seconds_line(reports))
    table = "\n\n".join(parts) + "\n"
    (HERE / "bar.md").write_text(f"# The bar of the demo\n\nWritten by `make bar`.\n\n{table}", encoding="utf-8")
    kept = [{key: value for key, value in report.items() if key != "settings"} for report in reports]
    receipt = {"seeds": SEEDS, "settings": reports[0]["settings"] | {"seed": "as above"}, "reports": kept}
    (HERE / "bar.json").write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, rest = readme.split("<!-- bar -->")
    after = rest.split("<!-- /bar -->")[1]
    short = f"{scores_table(reports)}\n\n{seconds_line(reports)} Per seed: [bar.md](tests/benchmarks/bar.md)."
    (ROOT / "README.md").write_text(f"{before}<!-- bar -->\n{short}\n<!-- /bar -->{after}", encoding="utf-8")


def picture(folder: Path) -> None:
    """The picture of the README: two queries of seed 0, before and after."""
    nets = {name: network_of(folder / "seed0" / phase / "run.safetensors") for name, phase in PHASES.items()}
    (ROOT / "book" / "assets").mkdir(exist_ok=True)
    draw_rankings(nets, PaperDolls("target"), ROOT / "book" / "assets" / "rankings.png", queries=2, top=8)


def main() -> None:
    """Run the seeds that are missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, default=SEEDS)
    parser.add_argument("--output", default="runs/bar", help="folder of the reports; delete it to start anew")
    args = parser.parse_args()
    reports = [run(seed, Path(args.output)) for seed in args.seeds]
    if tuple(args.seeds) == SEEDS:
        write(reports)
        picture(Path(args.output))
        print(gains_table(reports))


if __name__ == "__main__":
    main()
