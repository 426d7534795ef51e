"""``python -m tests.benchmarks.realism``: is the drawn world like a real one? Writes ``realism.md``.

What is measured on the drawn target with the shipped source network stands beside the same measures on Market-1501
(150 test people, 600 distractors) with OSNet x0.25, trained on the labels of MSMT17. A minute a seed on one core;
``--labels`` trains with the labels of the target, too, which takes some minutes more. Other seeds than 0 to 9, or
another share of passages, are printed and not written: ``--seeds 100 --share 0``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import torch
from paulbook.chapters import realism
from paulbook.chapters.realism import REAL
from torch import Tensor

from paullite import PatchNet, controls, evaluate, shipped_net
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.modes import mode
from tests.benchmarks.bar import with_labels

SEEDS = tuple(range(10))
SHARE = 0.8
MOST = {"features": 0.10, "colours": 0.25}  # shares of variance between cameras that a realistic world may have
SHARES = {"features": "variance of the features between cameras", "colours": "the same for six mean colours"}
FOLLOWED = "correlation of the patches' vertical shift with the body's"
RANKED = {
    "direct": "direct transfer",
    "camera_mean": "the same, camera mean subtracted",
    "batch_norm": "statistics re-estimated",
    "batch_norm_camera_mean": "the same, camera mean subtracted",
    "batch_norm_by_camera": "batch normalisation per camera",
    "six_colours": "six mean colours",
    "six_colours_camera_mean": "the same, camera mean subtracted",
    "labels": "trained with the target's labels",
}
CONTROLS = ("camera_mean", "batch_norm", "batch_norm_camera_mean", "batch_norm_by_camera")


@torch.no_grad()
def patch_heights(net: PatchNet, split: Split, batch: int = 128) -> Tensor:
    """Where the middle of the patches is on each image, from top (-1) to bottom (1): the mean of theta's shift."""
    parts = [range(i, min(i + batch, len(split))) for i in range(0, len(split), batch)]
    with mode(net, False):
        thetas = [net(torch.stack([net.transform(split[i].image) for i in part])).theta for part in parts]  # B P 2 3
    return torch.cat(thetas)[:, :, 1, 2].mean(1)  # N


def followed(net: PatchNet, world: PaperDolls) -> float:
    r"""Do the patches follow a body that is not in the middle? The correlation of the two over the training images.

    .. math:: \mathrm{corr}_i \Big( \tfrac1P \sum_p \theta_{ip,23},\; \mathrm{shift\ of\ body}_i \Big)

    Patches that do not move have 0.
    """
    moved, true = patch_heights(net, world.train).double(), torch.tensor(world.body_shifts(world.train)).double()
    if moved.std() < 1e-6:  # what is left is rounding
        return 0.0
    return float(torch.corrcoef(torch.stack([moved, true]))[0, 1])


def measure(seed: int, share: float, *, labels: bool = False) -> dict[str, tuple[float, ...]]:
    """Every row of one world: a share of variance, or rank-1 and mAP in %."""
    net, world = shipped_net(), PaperDolls("target", seed=seed, passage_share=share)
    again = controls.batch_norm(net, world)
    scores = {
        "batch_norm": evaluate(again, world),
        "batch_norm_camera_mean": evaluate(again, world, control=controls.camera_mean(again, world)),
        "batch_norm_by_camera": evaluate(net, world, control=controls.batch_norm_by_camera(net, world)),
    }
    if labels:
        scores["labels"] = with_labels(world, net)
    found = {**realism.measure(net, world), "followed": (followed(net, world),)}
    return found | {name: (100 * s.rank1, 100 * s.map_step) for name, s in scores.items()}


def gap_closed(row: Mapping[str, tuple[float, ...]]) -> float:
    """How far the best control without training goes from direct transfer to the labels, in mAP: 1 is all the way."""
    (_, direct), (_, labels) = row["direct"], row["labels"]
    return (max(row[name][1] for name in CONTROLS) - direct) / (labels - direct)


def table(seeds: Sequence[int], share: float, *, labels: bool = False) -> str:
    """The table in Markdown, means over the seeds."""
    found = [measure(seed, share, labels=labels) for seed in seeds]
    lines = [f"| passage share {share:g}, seeds {' '.join(map(str, seeds))} | Market-1501 | drawn | at most |"]
    lines += ["|---|---|---|---|"]
    for name, title in SHARES.items():
        lines.append(
            f"| {title} | {REAL[name][0]:.3f} | {mean(row[name][0] for row in found):.3f} | {MOST[name]:.2f} |"
        )
    lines.append(f"| {FOLLOWED} | | {mean(row['followed'][0] for row in found):.2f} | |")
    for name, title in ((name, title) for name, title in RANKED.items() if name in found[0]):
        real = "{:.1f} / {:.1f}".format(*REAL[name]) if name in REAL else ""
        drawn = [mean(row[name][k] for row in found) for k in range(2)]
        lines.append(f"| rank-1 / mAP, {title} | {real} | {drawn[0]:.1f} / {drawn[1]:.1f} | |")
    if labels:
        closed = mean(map(gap_closed, found))
        lines.append(f"| the best control's share of the gap in mAP to the labels | | {closed:.2f} | 0.45 |")
    return "\n".join(lines)


def main() -> None:
    """Print the table for some seeds and a share of passages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--share", type=float, default=SHARE, help="of what varies, the part that belongs to passages")
    parser.add_argument("--labels", action="store_true", help="train with the target's labels as well")
    args = parser.parse_args()
    found = table(args.seeds, args.share, labels=args.labels)
    print(found)
    if (tuple(args.seeds), args.share) == (SEEDS, SHARE):
        text = f"# Is the drawn world like a real one?\n\nWritten by `python -m tests.benchmarks.realism`.\n\n{found}\n"
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
