"""``make bar``: the demo on seeds 0 to 9, once, and the table of what it reached, with 95 % confidence intervals.

Seeds that have a report already are not run again, so a stopped run goes on where it was. Settings were chosen on the
seeds 100 to 104 (`tests.benchmarks.choosing`), so no choice was made on the seeds of the table.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from paulbook.studies import trial
from paulbook.studies.significance import holm, p_text
from paulbook.studies.statistics import seed_test, share_interval

from paullite import PRESETS, PatchNet, Scores, evaluate
from paullite.app.demo import ROWS, demo
from paullite.app.pictures import draw_rankings
from paullite.data import PaperDolls
from paullite.networks import network_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START = ROOT / "book" / "intro.md"
SEEDS = tuple(range(10))
PHASES = {"before": "pretrain", "after": "adapt"}
COLUMNS = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "map_step": "mAP (step)",
    "map_trapezoid": "mAP (trapezoid)",
    "minp": "mINP",
}
TITLES = {**ROWS, "supervised": "trained with the target's labels"}
CONTROLS = [name for name in ROWS if not name.startswith("paul")]
JUDGED = ("rank1", "map_step")  # the scores in which PAUL is compared with every control

Report = Mapping[str, Any]


def run(seed: int, folder: Path) -> Report:
    """The report of a seed, from its file if the demo has run."""
    path = folder / f"seed{seed}" / "report.json"
    report = json.loads(path.read_text()) if path.is_file() else demo(path.parent, seed=seed)
    report["supervised"] = supervised(seed, path.parent)
    print(
        f"seed {seed}: rank-1 " + ", ".join(f"{name} {100 * report[name]['rank1']:.1f}" for name in TITLES), flush=True
    )
    return report


def supervised(seed: int, folder: Path) -> dict[str, float]:
    """The ceiling: the network of phase 1, trained on with the labels of the target, which PAUL never sees."""
    path = folder / "supervised.json"
    if not path.is_file():
        start = network_of(folder / PHASES["before"] / "run.safetensors")
        path.write_text(json.dumps(with_labels(PaperDolls("target", seed=seed), start).headline()))
    return json.loads(path.read_text())


def with_labels(target: PaperDolls, start: PatchNet) -> Scores:
    """Scores of a network that goes on learning as in phase 1, now with the labels of a target and with its seed."""
    config = replace(PRESETS["paperdolls"].pretrain, seed=target.seed, evaluate_every=0)
    return evaluate(trial.with_labels(config, start, target), target)


def column_of(reports: Sequence[Report], name: str, column: str) -> list[float]:
    """One score of a row, for each seed."""
    return [report[name][column] for report in reports]


def scores_table(reports: Sequence[Report], columns: Sequence[str] = tuple(COLUMNS)) -> str:
    """Mean over the seeds of these scores with their 95 % confidence intervals, in Markdown."""
    lines = [
        f"| %, mean of seeds {SEEDS[0]}-{SEEDS[-1]} | {' | '.join(COLUMNS[column] for column in columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for name, title in TITLES.items():
        cells = [_cell(column_of(reports, name, column)) for column in columns]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    interval = share_interval(values)
    assert interval is not None  # there are ten seeds
    return f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def gains_table(reports: Sequence[Report]) -> str:
    """What PAUL adds to every control, paired over the seeds: mean, 95 % interval, p after Holm's correction."""
    pairs = [(control, column) for control in CONTROLS for column in JUDGED]
    tests = [
        seed_test(column_of(reports, control, column), column_of(reports, "paul", column), paired=True)
        for control, column in pairs
    ]
    found = [test for test in tests if test is not None]
    lines = ["| PAUL adds, in points | mean [95 % interval] | paired t-test, corrected |", "|---|---|---|"]
    for (control, column), test, p in zip(pairs, found, holm([test.p for test in found]), strict=True):
        low, high = 100 * test.interval.low, 100 * test.interval.high
        title = f"{COLUMNS[column]} over {ROWS[control]}"
        lines.append(f"| {title} | {100 * test.interval.mean:+.1f} [{low:+.1f}, {high:+.1f}] | {p_text(p)} |")
    return "\n".join(lines)


def closed_line(reports: Sequence[Report]) -> str:
    """How much of the way from direct transfer to the labels, in mAP, the best control and PAUL go."""
    means = {name: mean(column_of(reports, name, "map_step")) for name in TITLES}
    best = max(CONTROLS, key=means.__getitem__)
    share = lambda name: (means[name] - means["direct_transfer"]) / (means["supervised"] - means["direct_transfer"])  # noqa: E731
    return (
        f"The best control, {ROWS[best]}, closes {share(best):.0%} of the gap in mAP between direct transfer and the "
        f"labels; PAUL closes {share('paul'):.0%}."
    )


def gain_line(reports: Sequence[Report]) -> str:
    """What PAUL gained, in one sentence for the start page."""
    means = {name: 100 * mean(column_of(reports, name, "map_step")) for name in TITLES}
    best = max(CONTROLS, key=means.__getitem__)
    return (
        f"On {len(SEEDS)} drawn worlds, PAUL raised the mean average precision from {means['direct_transfer']:.0f} % "
        f"to {means['paul']:.0f} %, whereas the best control that needs no training reached {means[best]:.0f} %, and "
        f"training with the target's own labels reached {means['supervised']:.0f} %."
    )


def seconds_line(reports: Sequence[Report]) -> str:
    """How long it took: the quickest run, since other work on the same machine makes a run several times as long."""
    quickest = min(report["seconds"]["total"] for report in reports)
    return f"The quickest of these runs took {quickest:.0f} seconds on one thread, pretraining included."


def write(reports: Sequence[Report]) -> None:
    """The table and the numbers behind it, the short form in the README, and a sentence on the start page."""
    parts = (scores_table(reports), gains_table(reports), closed_line(reports), seconds_line(reports))
    table = "\n\n".join(parts) + "\n"
    (HERE / "bar.md").write_text(f"# The bar of the demo\n\nWritten by `make bar`.\n\n{table}", encoding="utf-8")
    kept = [{key: value for key, value in report.items() if key != "settings"} for report in reports]
    receipt = {"seeds": SEEDS, "settings": reports[0]["settings"] | {"seed": "as above"}, "reports": kept}
    (HERE / "bar.json").write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, rest = readme.split("<!-- bar -->")
    after = rest.split("<!-- /bar -->")[1]
    more = "[bar.md](tests/benchmarks/bar.md) has the other scores, and tests of what PAUL adds to each control."
    short = f"{scores_table(reports, JUDGED)}\n\n{closed_line(reports)} {seconds_line(reports)} {more}"
    (ROOT / "README.md").write_text(f"{before}<!-- bar -->\n{short}\n<!-- /bar -->{after}", encoding="utf-8")
    before, rest = START.read_text(encoding="utf-8").split("<!-- gain -->")
    after = rest.split("<!-- /gain -->")[1]
    START.write_text(f"{before}<!-- gain -->{gain_line(reports)}<!-- /gain -->{after}", encoding="utf-8")


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
