"""The drawn world is as varied within a camera as a real one: see `tests.benchmarks.realism`."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from paulbook.chapters.realism import camera_shares, mean_colours, share_between

import paullite as pl
from tests.benchmarks.realism import (
    CONTROLS,
    MOST,
    RANKED,
    followed,
    gap_closed,
    measure,
    patch_heights,
    table,
)

SMALL = dict(identities=6, test_identities=4, distractors=1, junk=2)


def test_the_share_between_cameras_by_loops() -> None:
    x, cameras = torch.randn(9, 4, generator=torch.Generator().manual_seed(0)) + 3, [5, 5, 7, 7, 7, 7, 9, 9, 9]
    between = total = 0.0
    for i in range(9):
        own = [x[j] for j in range(9) if cameras[j] == cameras[i]]
        for f in range(4):
            middle = sum(float(row[f]) for row in x) / 9
            between += (sum(float(row[f]) for row in own) / len(own) - middle) ** 2
            total += (float(x[i, f]) - middle) ** 2
    assert share_between(x, cameras) == pytest.approx(between / total)
    assert share_between(torch.tensor(cameras)[:, None].float(), cameras) == pytest.approx(1)


def test_mean_colours_of_six_stripes(tmp_path: Path) -> None:
    split = pl.data.PaperDolls("target", cache=tmp_path, size=(96, 32), **SMALL).train
    places = [(x, y) for y in range(96) for x in range(32)]
    pixels = torch.tensor([[image.image.getpixel(place) for place in places] for image in split[:2]]).float()  # N HW 3
    assert torch.allclose(mean_colours(split[:2]).view(2, 6, 3), pixels.view(2, 6, 16 * 32, 3).mean(2), atol=1e-3)


@pytest.mark.slow
def test_the_table_has_all_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = lambda domain, **settings: pl.data.PaperDolls(domain, cache=tmp_path, **SMALL, **settings)  # noqa: E731
    monkeypatch.setattr("tests.benchmarks.realism.PaperDolls", small)
    assert set(measure(100, 0.8)) == {*MOST, *RANKED, "followed"} - {"labels"}
    trained = lambda config, world, start: SimpleNamespace(net=pl.shipped_net("adapted"))  # noqa: E731
    monkeypatch.setattr("paulbook.studies.trial.pretrain", trained)
    lines = table([100, 101], 0.8, labels=True).splitlines()
    assert len(lines) == 2 + len(MOST) + 1 + len(RANKED) + 1 and "| 79.7 / 55.0 |" in lines[5]


def test_how_far_the_best_control_goes() -> None:
    row = dict.fromkeys(CONTROLS, (90.0, 30.0)) | {"direct": (50.0, 20.0), "labels": (95.0, 70.0)}
    assert gap_closed({**row, "batch_norm": (60.0, 40.0)}) == pytest.approx(0.4)


@pytest.mark.slow
def test_the_world_with_passages_is_realistic(tmp_path: Path) -> None:
    found = [
        camera_shares(pl.shipped_net(), pl.data.PaperDolls("target", seed=100, passage_share=share, cache=tmp_path))
        for share in (0, 0.8)
    ]
    assert all(found[1][name] <= most < found[0][name] for name, most in MOST.items()), found


def test_following_is_a_correlation_and_stripes_have_none(tmp_path: Path) -> None:
    world = pl.data.PaperDolls("target", cache=tmp_path, **SMALL)
    net = pl.PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    assert followed(net, world) == 0.0
    true = torch.tensor(world.body_shifts(world.train))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.benchmarks.realism.patch_heights", lambda net, split: 3 - 2 * true)
        assert followed(net, world) == pytest.approx(-1)


def test_where_patches_are_is_the_mean_of_their_shifts(tmp_path: Path) -> None:
    world = pl.data.PaperDolls("target", cache=tmp_path, **SMALL)
    net = pl.PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8, patches=2)
    last = [module for module in net.generator.modules() if isinstance(module, torch.nn.Linear)][-1]
    with torch.no_grad():
        last.bias[[5, 11]] += torch.tensor([0.25, 0.75])  # the vertical shift of both patches
    assert torch.allclose(patch_heights(net, world.train[:3], batch=2), torch.tensor(0.5), atol=1e-5)
