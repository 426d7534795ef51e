"""``make weights``: the source network that comes with the package, made by the demo's own settings and seed 0."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import paullite as pl
from paullite.demo import versions

FOLDER = Path(pl.__file__).parent / "weights"


def main() -> None:
    """Pretrain on the drawn source, save the network, and note what it is worth."""
    config = replace(pl.PRESETS["paperdolls"].pretrain, evaluate_every=0)
    source, target = pl.data.PaperDolls("source"), pl.data.PaperDolls("target")
    net = pl.pretrain(config, source).net
    FOLDER.mkdir(exist_ok=True)
    path = pl.save(net, FOLDER / "paperdolls_source.safetensors")
    scores = {data.name: pl.evaluate(net, data).headline() for data in (source, target)}
    card = {"made_by": "make weights", "settings": asdict(config), "scores": scores, "versions": versions()}
    (FOLDER / "paperdolls_source.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {scores}")


if __name__ == "__main__":
    main()
