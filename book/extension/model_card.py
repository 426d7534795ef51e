"""Tables for the card of the weights that ship, made from the file beside them: no number is typed in by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

CARD = Path("paullite/weights/paperdolls_source.json")
SCORES = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "map_step": "mAP (step)",
    "map_trapezoid": "mAP (trapezoid)",
    "minp": "mINP",
}
SHAPE = {
    "backbone": "backbone, by its name in timm",
    "size": "height and width of an image, pixels",
    "patches": "P, patches",
    "feature_dim": "D, size of a patch feature",
    "embedding_dim": "size of a patch's embedding",
    "generator": "patch generation network",
    "pretrained": "backbone's weights fetched from a hub",
}
TRAINING = {
    "seed": "seed",
    "epochs": "epochs",
    "batch": "anchors in a batch",
    "lr_backbone": "learning rate of the backbone",
    "lr_heads": "learning rate of the heads",
    "lr_generator": "learning rate of the patch generation network",
    "generator_epochs": "epochs in which it learns: from, up to (counted from 0)",
    "decay_epoch": "first epoch with a tenth of the rates (counted from 0)",
    "triplet_weight": "weight of the triplet loss",
}
ADAPTED = {
    "seed": "seed",
    "epochs": "epochs",
    "batch": "images in a batch, each with a surrogate",
    "lr": "learning rate",
    "decay_epoch": "first epoch with a tenth of the rate (counted from 0)",
    "scale": "s of PEDAL",
    "k": "K of PEDAL",
    "pedal_weight": "weight of PEDAL",
    "ipfl_weight": "weight of IPFL",
    "margin": "margin of IPFL",
}


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table.

    >>> print(table(("a", "b"), [("1", "2")]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    first, *others = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    return "\n".join([first, "|" + "---|" * len(head), *others])


def scores(card: dict[str, Any]) -> str:
    """The network's scores in percent, one row for each data set."""
    rows = [(name, *(f"{100 * row[column]:.1f}" for column in SCORES)) for name, row in card["scores"].items()]
    return table(("%", *SCORES.values()), rows)


def settings(card: dict[str, Any], names: dict[str, str]) -> str:
    """Some of the settings with what they mean."""
    return table(("setting", "value"), [(words, shown(card["settings"][name])) for name, words in names.items()])


def shown(value: Any) -> str:
    """A value as a reader would write it.

    >>> shown([128, 64]), shown(False), shown(0.1)
    ('128, 64', 'no', '0.1')
    """
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"


def versions(card: dict[str, Any]) -> str:
    """What the numbers depend on."""
    return table(tuple(card["versions"]), [tuple(card["versions"].values())])


def size(weights: Path) -> str:
    """Of the file, in MB."""
    return f"{weights.stat().st_size / 1e6:.1f} MB"


def write_tables(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the markers of the card's page by tables."""
    if not docname.endswith("/weights"):
        return
    path = Path(app.srcdir) / CARD
    after = path.with_name("paperdolls_adapted.json")
    for receipt in (path, after):
        app.env.note_dependency(str(receipt))
    card, adapted = (json.loads(receipt.read_text(encoding="utf-8")) for receipt in (path, after))
    parts = {
        "@SCORES@": scores(card),
        "@SHAPE@": settings(card, SHAPE),
        "@TRAINING@": settings(card, TRAINING),
        "@VERSIONS@": versions(card),
        "@SIZE@": size(path.with_suffix(".safetensors")),
        "@ADAPTED_SCORES@": scores(adapted),
        "@ADAPTED_TRAINING@": settings(adapted, ADAPTED),
        "@ADAPTED_SIZE@": size(after.with_suffix(".safetensors")),
    }
    for marker, text in parts.items():
        source[0] = source[0].replace(marker, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", write_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
