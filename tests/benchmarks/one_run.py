"""``python -m tests.benchmarks.one_run``: what PAUL gained in other runs of chapter 11's training, seed by seed.

The chapter follows one run on a folder of drawn people in Market-1501's form. Here the same training starts from the
same network on the same folder with other seeds, and its mAP is compared with two controls. The chapter prints the
ranges of this table beside its own run. One seed takes about half a minute on one core.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path

from paullite import PRESETS, adapt, controls, evaluate, shipped_net
from paullite.data import Market1501, PaperDolls
from paullite.data.items import Item, ReIDDataset
from paullite.data.layouts import FOLDERS

SEEDS = (1, 2, 3, 4, 5)


def market_name(item: Item, number: int) -> str:
    """The name that Market-1501 would give to a drawn image."""
    pid = "-1" if item.pid == -1 else f"{item.pid:04d}"
    return f"{pid}_c{item.camid - 9}s1_{number:06d}_01.jpg"


def write_folder(root: Path) -> ReIDDataset:
    """The chapter's folder: 32 drawn people for training and 32 for the test, as Market-1501 would keep them."""
    world, numbers = PaperDolls("target").first_people(32), count()
    for folder, split in zip(FOLDERS, (world.train, world.query, world.gallery), strict=True):
        (root / folder).mkdir(parents=True)
        for item in split:
            item.image.save(root / folder / market_name(item, next(numbers)), quality=95)
    return Market1501(root)


def gains(market: ReIDDataset, seed: int) -> Mapping[str, float]:
    """Differences in mAP in points, of one training and the controls."""
    start = shipped_net("source")
    config = replace(PRESETS["paperdolls"].adapt, seed=seed, epochs=4, decay_epoch=3, device="cpu", evaluate_every=0)
    net = adapt(replace(config, progress=False, dry_step=False), market, start=start).net
    reestimated = evaluate(controls.batch_norm(start, market), market)
    by_camera = evaluate(start, market, control=controls.batch_norm_by_camera(start, market))
    paul, centred = evaluate(net, market), evaluate(net, market, control=controls.camera_mean(net, market))
    return {
        "PAUL - statistics re-estimated": 100 * (paul.map_step - reestimated.map_step),
        "PAUL - statistics per camera": 100 * (paul.map_step - by_camera.map_step),
        "PAUL, camera mean subtracted - statistics per camera": 100 * (centred.map_step - by_camera.map_step),
    }


def main() -> None:
    """Print the lowest and the highest gain over the seeds."""
    with tempfile.TemporaryDirectory() as place:
        market = write_folder(Path(place) / "market")
        found = [gains(market, seed) for seed in SEEDS]
    for name in found[0]:
        values = [row[name] for row in found]
        print(f"{name}: {min(values):+.1f} to {max(values):+.1f} points of mAP")


if __name__ == "__main__":
    main()
