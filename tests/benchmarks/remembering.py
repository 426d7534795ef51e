"""``python -m tests.benchmarks.remembering``: what PEDAL should be compared with, for chapter 6.

PAUL is trained on the same target from the same network several times, and only the entries that PEDAL sees differ: the
memory of the preset, one that keeps the newest feature alone, features of all images that are computed again once per
epoch, and the features of the batch. Nothing is chosen by the result. Other memories watch the first of these runs, and
after its last epoch each of them is compared with features that the network of that moment computes.

What a file holds is not run again. One seed takes about two minutes on one core. The table goes to
``remembering.md``.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from paullite import PRESETS, adapt, controls, evaluate, losses, shipped_net
from paullite.config import AdaptConfig
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.features import extract
from paullite.files import replacing
from paullite.losses import PaulLoss
from paullite.memory import FeatureMemory
from paullite.models import PatchNet
from paullite.step import Step

HERE = Path(__file__).parent
SEEDS = (0, 1, 2, 3, 4)
MOMENTA = (0.02, 0.1, 0.3, 1.0)
WORLD = {"identities": 64, "test_identities": 60}
_QUICK: dict[str, Any] = {"evaluate_every": 0, "progress": False, "dry_step": False, "device": "cpu"}
CONFIG = replace(PRESETS["paperdolls"].adapt, epochs=6, decay_epoch=4, **_QUICK)
ARMS = {
    "memory": "memory, momentum 0.1",
    "newest": "memory, momentum 1",
    "refresh": "all features again, once per epoch",
    "batch": "the batch alone",
    "nearest": "the batch alone, K = 1",
}


def computed_now(net: PatchNet, images: Split, batch: int, seed: int) -> Tensor:
    """Features of all images in training mode, in random batches of two views' size; the network stays as it is."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    features = torch.empty(len(images), net.patches, net.feature_dim)
    features[order] = extract(copy.deepcopy(net), images.take(order.tolist()), batch=2 * batch, train_mode=True)
    return features


def same_person(features: Tensor, entries: Tensor, images: Split, k: int) -> float:
    """Of the k entries nearest to each patch, without those of its own passage: the share of the same person."""
    pids, cameras = torch.tensor(images.pids), torch.tensor(images.camids)
    same = pids[:, None] == pids
    own_passage = same & (cameras[:, None] == cameras)
    distance = torch.cdist(features.transpose(0, 1), entries.transpose(0, 1)).masked_fill(own_passage, torch.inf)
    nearest = distance.topk(k, largest=False).indices  # P N k
    return float(torch.stack([same.gather(1, of_patch).float().mean() for of_patch in nearest]).mean())


class Entries:
    """What PEDAL compares with in one arm; in the arm ``memory`` other memories watch.

    ``loss`` and ``end`` are for `adapt`. ``rows`` is what was measured after the last epoch: the mean distance to a
    feature computed now, and the share of the same person among the K nearest.
    """

    def __init__(self, arm: str, net: PatchNet, images: Split, config: AdaptConfig) -> None:
        self.arm, self.images, self.config = arm, images, config
        self.fresh = computed_now(net, images, config.batch, 0)
        self.memories = {m: FeatureMemory(len(images), net.patches, net.feature_dim, momentum=m) for m in MOMENTA}
        for memory in self.memories.values():
            memory.update(torch.arange(len(images)), self.fresh)
        self.rows: dict[str, tuple[float, float]] = {}

    def loss(self, step: Step) -> PaulLoss:
        """PAUL's loss, with the entries of the arm."""
        for memory in self.memories.values():
            memory.update(step.index, step.features.detach())
        if self.arm == "refresh":
            step = replace(step, memory=self.fresh)
        if self.arm in ("batch", "nearest"):
            images = len(step.index)
            most = 1 if self.arm == "nearest" else images - 2  # the last batch of an epoch may be small
            config = replace(step.config, k=min(step.config.k, most))
            step = replace(step, memory=step.features.detach(), index=torch.arange(images), config=config)
        return losses.paul(step)

    def end(self, epoch: int, net: PatchNet) -> None:
        """After an epoch: compare, if it was the last, and compute all features again."""
        now = computed_now(net, self.images, self.config.batch, 2 * epoch)
        again = computed_now(net, self.images, self.config.batch, 2 * epoch + 1)
        if self.arm == "memory" and epoch == self.config.epochs:
            entries = {f"momentum {m:g}": memory.features for m, memory in self.memories.items()}
            for name, values in {**entries, "one epoch old": self.fresh, "now": again}.items():
                distance = float((now - values).norm(dim=-1).mean())
                self.rows[name] = distance, same_person(now, values, self.images, self.config.k)
        self.fresh = again


def train(arm: str, seed: int, config: AdaptConfig = CONFIG, world: Mapping[str, int] = WORLD) -> dict[str, Any]:
    """Scores of one arm on one seed in percent, and what the watching memories showed."""
    target, net = PaperDolls("target", seed=seed, **world), shipped_net("source")
    momentum = 1.0 if arm == "newest" else config.memory_momentum
    entries = Entries(arm, net, target.train, config)
    settings = replace(config, seed=seed, memory_momentum=momentum)
    run = adapt(settings, target.train, start=net, loss=entries.loss, after_epoch=entries.end)
    scores = evaluate(run.net, target)
    return {"rank1": 100 * scores.rank1, "map": 100 * scores.map_step, "rows": entries.rows}


def measured(seed: int, folder: Path) -> dict[str, Any]:
    """All arms of a seed and the control without training; what its file holds is not run again."""
    report = folder / f"{seed}.json"
    found = dict(json.loads(report.read_text())) if report.is_file() else {"control": control(seed)}
    torch.set_num_threads(1)
    for arm in ARMS:
        if arm not in found:
            found[arm] = train(arm, seed)
            with replacing(report) as temporary:
                temporary.write_text(json.dumps(found))
    return found


def control(seed: int) -> dict[str, float]:
    """Scores of the network that the arms start from, with the statistics of the target, in percent."""
    target, net = PaperDolls("target", seed=seed, **WORLD), shipped_net("source")
    scores = evaluate(controls.batch_norm(net, target), target)
    return {"rank1": 100 * scores.rank1, "map": 100 * scores.map_step}


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Both tables in Markdown: scores of the arms, and what the watching memories showed."""
    lines = [
        "# What PEDAL is compared with",
        "",
        "| entries | rank-1 | mAP | mAP against the memory |",
        "|---|---|---|---|",
    ]
    for arm, title in {"control": "no training, statistics re-estimated", **ARMS}.items():
        gains = [row[arm]["map"] - row["memory"]["map"] for row in found]
        against = "" if arm == "memory" else f"{mean(gains):+.1f} ({min(gains):+.1f} to {max(gains):+.1f})"
        rank1, mean_ap = (mean(row[arm][name] for row in found) for name in ("rank1", "map"))
        lines.append(f"| {title} | {rank1:.1f} | {mean_ap:.1f} | {against} |")
    lines += ["", "| after six epochs | distance from a feature computed now | same person among the 20 nearest, % |"]
    lines.append("|---|---|---|")
    for name in found[0]["memory"]["rows"]:
        distances, shares = zip(*(row["memory"]["rows"][name] for row in found), strict=True)
        distance = f"{mean(distances):.2f} ({min(distances):.2f} to {max(distances):.2f})"
        share = f"{100 * mean(shares):.1f} ({100 * min(shares):.1f} to {100 * max(shares):.1f})"
        lines.append(f"| {name} | {distance} | {share} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/remembering"), help="where finished seeds are kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    text = table([measured(seed, arguments.folder) for seed in arguments.seeds])
    if tuple(arguments.seeds) == SEEDS:
        (HERE / "remembering.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
