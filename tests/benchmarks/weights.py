"""``make weights``: the two networks that come with the package, made by the demo's own settings and seed 0.

Each gets a receipt beside it: settings, scores, data, versions, seconds.
"""

import copy
import json
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


def main() -> None:
    """Pretrain on the drawn source, adapt to the drawn target, and write both networks."""
    FOLDER.mkdir(exist_ok=True)
    source, target, began = pl.data.PaperDolls("source"), pl.data.PaperDolls("target"), time.perf_counter()
    phase1 = replace(PRESET.pretrain, evaluate_every=0)
    before = pl.pretrain(phase1, source).net
    write("source", before, asdict(phase1), source.train, began)
    phase2, began = replace(PRESET.adapt, evaluate_every=0), time.perf_counter()
    after = pl.adapt(phase2, target, start=before).net
    half = copy.deepcopy(after).half()  # 16 bits a weight: half the download, and the scores are those of what is kept
    write("adapted", half, asdict(phase2), target.unlabelled(), began)


if __name__ == "__main__":
    main()
