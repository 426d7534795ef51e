"""What chapter 11 uses: the cost of a step, split, and the run that is interrupted."""

from dataclasses import replace

import numpy as np
import pytest
from paulbook.chapters import chapter11

import paullite as pl
from paullite.runs.provenance import digest

DOLLS = pl.data.PaperDolls("target", identities=4, test_identities=2)
CONFIG = replace(pl.PRESETS["paperdolls"].adapt, device="cpu", k=5, image_memory=0)


@pytest.mark.slow
def test_two_images_tell_what_sixteen_take(monkeypatch: pytest.MonkeyPatch) -> None:
    net = pl.shipped_net()
    before = digest(net.state_dict())
    few = chapter11.cost_of_step(net, CONFIG)
    monkeypatch.setattr(chapter11, "FEW", (8, 16))
    many = chapter11.cost_of_step(net, CONFIG)
    assert few.fixed + 42 * few.pair == pytest.approx(many.fixed + 42 * many.pair, rel=0.05) and few.seconds > 0
    assert digest(net.state_dict()) == before


@pytest.mark.slow
def test_half_precision_keeps_half() -> None:
    net = pl.PatchNet("test_resnet", pretrained=False, size=(128, 64))
    costs = [chapter11.cost_of_step(net, replace(CONFIG, precision=name)) for name in ("no", "bf16")]
    assert 0.4 < costs[1].pair / costs[0].pair < 0.7
    assert costs[1].fixed >= costs[0].fixed


def test_the_interrupt_comes_at_the_nth_visit_only() -> None:
    interrupted = chapter11.with_interrupt(DOLLS, visits=2).train
    first = interrupted[1].image
    assert (np.asarray(first) == np.asarray(DOLLS.train[1].image)).all()
    _ = interrupted[0].image
    with pytest.raises(KeyboardInterrupt):
        _ = interrupted[1].image
    assert interrupted[1].image is not None


@pytest.mark.slow
def test_an_interrupted_run_stops_and_goes_on(tmp_path) -> None:
    config = replace(CONFIG, epochs=2, batch=8, progress=False, dry_step=False, evaluate_every=0)
    kept, start = replace(config, output=str(tmp_path / "run")), pl.shipped_net()
    whole = pl.adapt(config, DOLLS.unlabelled(), start=start)
    with pytest.raises(KeyboardInterrupt, match="in epoch 2"):
        pl.adapt(kept, chapter11.with_interrupt(DOLLS, visits=3), start=start)
    again = pl.adapt(kept, DOLLS, start=start, resume=True)
    assert digest(again.net.state_dict()) == digest(whole.net.state_dict())
