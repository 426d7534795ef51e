"""``make weights``: the two networks that come with the package, made by the demo's own settings and seed 0.

``python -m tests.benchmarks.weights adapted`` makes the second alone, from the source network that is there.

Each gets a receipt beside it: settings, scores, data, versions, seconds.
"""

import copy
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import paullite as pl
from paullite.networks import shipped_net
from paullite.runs.provenance import fingerprint, versions

FOLDER = Path(pl.__file__).parent / "weights"
PRESET = pl.PRESETS["paperdolls"]


def write(name: str, net: pl.PatchNet, settings: dict[str, Any], data: pl.data.items.Split, began: float) -> None:
    """Save a network, judge what was saved, and note how it was made."""
    path = pl.save(net, FOLDER / f"paperdolls_{name}.safetensors")
    sets = (pl.data.PaperDolls("source"), pl.data.PaperDolls("target"))
    card = {
        "made_by": "make weights",
        "settings": settings,
        "data": fingerprint(data),
        "seconds": round(time.perf_counter() - began),
        "scores": {one.name: pl.evaluate(shipped_net(name), one).headline() for one in sets},
        "versions": versions(),
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {card['scores']}")


def main(asked: list[str]) -> None:
    """Pretrain on the drawn source, adapt to the drawn target, and write both networks, or the one asked for."""
    FOLDER.mkdir(exist_ok=True)
    source, target, began = pl.data.PaperDolls("source"), pl.data.PaperDolls("target"), time.perf_counter()
    if "adapted" not in asked:
        phase1 = replace(PRESET.pretrain, evaluate_every=0)
        write("source", pl.pretrain(phase1, source).net, asdict(phase1), source.train, began)
    if "source" not in asked:
        phase2, began = replace(PRESET.adapt, evaluate_every=0), time.perf_counter()
        after = pl.adapt(phase2, target, start=shipped_net("source")).net
        half = copy.deepcopy(after).half()  # 16 bits a weight: half the download; what is kept is what is scored
        write("adapted", half, asdict(phase2), target.unlabelled(), began)


if __name__ == "__main__":
    main(sys.argv[1:])
