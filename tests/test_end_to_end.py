"""PAUL lifts the scores on cameras without labels: the network that ships, adapted for a few epochs."""

import dataclasses
import json
from pathlib import Path

import pytest

import paullite as pl
from paullite.networks import shipped_net
from paullite.runs.provenance import fingerprint

pytestmark = pytest.mark.slow

WEIGHTS = Path(pl.__file__).parent / "weights"


@pytest.fixture(scope="module")
def target() -> pl.data.PaperDolls:
    """The demo's own target, seed 0."""
    return pl.data.PaperDolls("target")


def test_shipped_weights_are_small_and_described(target: pl.data.PaperDolls) -> None:
    assert sum(f.stat().st_size for f in WEIGHTS.iterdir()) <= 3_000_000
    preset = pl.PRESETS["paperdolls"]
    images = {"source": pl.data.PaperDolls("source").train, "adapted": target.unlabelled()}
    for name, config in {"source": preset.pretrain, "adapted": preset.adapt}.items():
        card = json.loads((WEIGHTS / f"paperdolls_{name}.json").read_text())
        scores = pl.evaluate(shipped_net(name), target)
        assert scores.rank1 == pytest.approx(card["scores"]["paperdolls-target"]["rank1"], abs=0.02)
        settings = json.loads(json.dumps(dataclasses.asdict(config)))
        made_with = card["settings"]  # the source network's are those of version 1.0.0, which lacked `image_memory`
        assert settings.keys() - made_with.keys() <= ({"image_memory"} if name == "source" else set())
        assert {k for k in settings.keys() & made_with if settings[k] != made_with[k]} <= {"evaluate_every"}
        assert card["data"] == fingerprint(images[name])


def test_unknown_shipped_network() -> None:
    with pytest.raises(pl.InputError, match="expected one of source, adapted, v1/source"):
        shipped_net("target")  # type: ignore[arg-type]


@pytest.mark.slow
def test_paul_lifts_the_scores(target: pl.data.PaperDolls) -> None:
    """Half of the gains that the bar asks of the whole schedule, after a part of it."""
    before = shipped_net()
    direct = pl.evaluate(before, target)
    control = pl.evaluate(before, target, control=pl.controls.batch_norm(before, target))
    config = dataclasses.replace(
        pl.PRESETS["paperdolls"].adapt, epochs=6, decay_epoch=5, evaluate_every=0, progress=False
    )
    after = pl.evaluate(pl.adapt(config, target, start=before).net, target)
    assert after.rank1 - direct.rank1 > 0.10 and after.map_step - direct.map_step > 0.075
    assert after.rank1 - control.rank1 > 0.02 and after.map_step - control.map_step > 0.03
