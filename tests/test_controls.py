"""Controls without labels and training: against loops, on their rules, and on the shipped world."""

import copy
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

import paullite as pl
from paullite.data.items import ReIDDataset, Split
from paullite.errors import InputError
from paullite.evaluation import score_ranking
from paullite.features import extract
from paullite.ranking import ranking_columns
from tests.runs import small_net

CONTROLS = (pl.controls.batch_norm, pl.controls.batch_norm_by_camera, pl.controls.camera_mean)
TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


def with_cameras(split: Split, camids: list[int] | None) -> Split:
    return replace(split, camids=None if camids is None else tuple(camids))


def changed(dolls: ReIDDataset, part: str, camids: list[int] | None) -> ReIDDataset:
    """The same data with other camera numbers in one part."""
    parts = {name: getattr(dolls, name) for name in ("train", "query", "gallery")}
    return ReIDDataset("toy", **parts | {part: with_cameras(parts[part], camids)})


@pytest.fixture(scope="module")
def adapted_to_others(source: pl.data.PaperDolls) -> pl.PatchNet:
    torch.manual_seed(0)
    return pl.controls.batch_norm(small_net(identities=5), source)


@pytest.fixture
def seen(adapted_to_others: pl.PatchNet) -> pl.PatchNet:
    """A network whose batch-norm layers know other people, so that every control changes something."""
    return copy.deepcopy(adapted_to_others)


def test_camera_mean_is_the_loop(seen: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    train, query, gallery = (extract(seen, split).numpy() for split in (dolls.train, dolls.query, dolls.gallery))
    features = []
    for x, split in ((query, dolls.query), (gallery, dolls.gallery)):
        rows = []
        for i in range(len(split)):
            own = [train[j] for j in range(len(train)) if dolls.train.camids[j] == split.camids[i]]
            rows.append((x[i] - sum(own) / len(own)).flatten())
        features.append(np.stack(rows))
    expected = score_ranking(*features, *ranking_columns(dolls.query, dolls.gallery))
    found = pl.evaluate(seen, dolls, control=pl.controls.camera_mean(seen, dolls))
    assert found.precisions == pytest.approx(expected.precisions, abs=1e-6)
    assert found.headline() != pl.evaluate(seen, dolls).headline()


def test_batch_norm_by_camera_is_the_loop(seen: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    """An image goes through a network of its own camera's statistics; here a camera fits one batch."""
    control = pl.controls.batch_norm_by_camera(seen, dolls)
    x = control.features(dolls.query, batch=3)
    for i, camera in enumerate(dolls.query.camids or ()):
        places = [j for j, other in enumerate(dolls.train.camids or ()) if other == camera]
        net = copy.deepcopy(seen).train()
        for layer in net.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.momentum = 1.0  # the statistics of the last batch, which holds all images
        with torch.no_grad():
            net(torch.stack([seen.transform(dolls.train[j].image) for j in places]))
            alone = net.eval()(seen.transform(dolls.query[i].image)[None]).features[0]
        assert torch.allclose(x[i], alone, atol=1e-4)


def test_batches_of_a_camera_are_nearly_equal(
    net: pl.PatchNet, dolls: pl.data.PaperDolls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A last batch of two images would weigh as much in the average as all others."""
    asked: list[tuple[int, int]] = []
    original = pl.controls.batch_norm

    def spy(net: pl.PatchNet, images: Split, *, batch: int, **options: int) -> pl.PatchNet:
        asked.append((len(images), batch))
        return original(net, images, batch=batch, **options)

    monkeypatch.setattr(pl.controls, "batch_norm", spy)
    pl.controls.batch_norm_by_camera(net, dolls, batch=10)
    assert len(asked) == 1 + len(set(dolls.train.camids or ()))
    for images, batch in asked:
        last = images % batch or batch
        assert batch <= 10 and batch - last < -(-images // batch)


@pytest.mark.parametrize("make", CONTROLS)
def test_a_control_touches_neither_network_nor_flags(make, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:  # type: ignore[no-untyped-def]
    net.train()
    net.norm.eval()
    before, flags = copy.deepcopy(net.state_dict()), [module.training for module in net.modules()]
    pl.evaluate(net, dolls, control=make(net, dolls))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == flags


@pytest.mark.slow
@pytest.mark.parametrize("make", CONTROLS)
def test_a_control_sees_no_identities_and_is_the_same_twice(  # type: ignore[no-untyped-def]
    make, seen: pl.PatchNet, dolls: pl.data.PaperDolls
) -> None:
    scores = [pl.evaluate(seen, dolls, control=make(seen, given)) for given in (dolls, dolls, dolls.unlabelled())]
    assert scores[0].headline() == scores[1].headline() == scores[2].headline()


def test_batch_norm_is_used_both_ways(seen: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    adapted = pl.controls.batch_norm(seen, dolls)
    scores = [pl.evaluate(adapted, dolls), pl.evaluate(seen, dolls, control=adapted)]
    assert scores[0].headline() == scores[1].headline() != pl.evaluate(seen, dolls).headline()


@pytest.mark.parametrize("make", CONTROLS[1:])
@pytest.mark.parametrize("camids", ["none", "new"])
def test_unknown_cameras_get_the_statistics_of_all(  # type: ignore[no-untyped-def]
    make, camids: str, seen: pl.PatchNet, dolls: pl.data.PaperDolls
) -> None:
    other = None if camids == "none" else [99] * len(dolls.query)
    control, query = make(seen, dolls), with_cameras(dolls.query, other)
    x = extract(control.nets.get(None, seen), query)
    x = nn.functional.normalize(x, dim=-1) - control.shifts[None] if control.shifts else x
    assert torch.equal(control.features(query), x)
    assert not torch.allclose(control.features(query), control.features(dolls.query), atol=1e-3)
    one = changed(dolls, "train", [1] * len(dolls.train))  # one camera is all cameras
    assert torch.allclose(make(seen, one).features(query), control.features(query), atol=1e-5)


def test_a_camera_with_few_training_images_gets_the_statistics_of_all(
    seen: pl.PatchNet, dolls: pl.data.PaperDolls
) -> None:
    few = pl.controls.LEAST - 1
    data = changed(dolls, "train", [1] * few + [2] * (len(dolls.train) - few))
    assert set(pl.controls.camera_mean(seen, data).shifts) == {None, 2}
    data = changed(dolls, "train", [1] * (few + 1) + [2] * (len(dolls.train) - few - 1))
    assert set(pl.controls.camera_mean(seen, data).shifts) == {None, 1, 2}


@pytest.mark.parametrize("make", CONTROLS[1:])
def test_training_images_without_cameras(make, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"without camera numbers; .* use pl\.controls\.batch_norm"):
        make(net, changed(dolls, "train", None))


@pytest.mark.parametrize("make", CONTROLS[1:])
def test_a_control_belongs_to_its_network(make, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="made for another network"):
        pl.evaluate(copy.deepcopy(net), dolls, control=make(net, dolls))


class Colours(nn.Module):
    """A network of another kind, without a transform."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(self.norm(images), (6, 1))  # B 3 6 1


def test_dropout_stays_off(dolls: pl.data.PaperDolls) -> None:
    """So that the same images give the same statistics twice."""
    torch.manual_seed(0)
    own = nn.Sequential(nn.Conv2d(3, 64, 16, stride=16), nn.Dropout(0.5), nn.BatchNorm2d(64))
    net = pl.PatchNet(own, patches=4, feature_dim=8, embedding_dim=4, size=(128, 64))
    once, twice = (pl.controls.batch_norm(net, dolls, seed=0).state_dict() for _ in range(2))
    assert all(torch.equal(value, twice[name]) for name, value in once.items())
    assert not torch.equal(once["norm.running_mean"], net.norm.running_mean)


def test_a_variance_needs_two_images(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    with pytest.raises(InputError, match="found 1 training images; expected 2 or more"):
        pl.controls.batch_norm(net, dolls.train.take([0]))


@pytest.mark.parametrize("make", CONTROLS)
def test_controls_of_any_module(make, dolls: pl.data.PaperDolls) -> None:  # type: ignore[no-untyped-def]
    net = Colours()
    control = make(net, dolls, transform=TO_TENSOR)
    scores = pl.evaluate(net, dolls, control=control, transform=TO_TENSOR)
    assert scores.headline() != pl.evaluate(net, dolls, transform=TO_TENSOR).headline()
    with pytest.raises(InputError, match=r"found a Colours .* pass transform="):
        make(net, dolls)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "share", "wanted"), [("source", 0.8, (53.6, 62.0, 53.0)), ("v1/source", 0, (47.6, 92.2, 82.5))]
)
def test_the_shipped_worlds(name: Literal["source", "v1/source"], share: float, wanted: tuple[float, ...]) -> None:
    """Seed 0, source networks of both worlds: what a few lines without training reach, in rank-1."""
    net, target = pl.shipped_net(name), pl.data.PaperDolls("target", passage_share=share)
    reached = [100 * pl.evaluate(net, target, control=make(net, target)).rank1 for make in CONTROLS]
    assert reached == pytest.approx(wanted, abs=3)
