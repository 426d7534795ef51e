"""The rivals of PAUL: their loss, distances, clusters and memory against slow loops; runs without labels."""

import dataclasses
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from paulbook.studies.clusters import dbscan, jaccard, purity
from paulbook.studies.rivals import discriminate_instances, learn_clusters
from paulbook.studies.rows import Rows, contrast, whole
from torch import Tensor

import paullite as pl
from paullite.errors import InputError
from paullite.runs.machine import Stopped

pytestmark = pytest.mark.usefixtures("one_thread")


def config(**changes: Any) -> pl.AdaptConfig:
    quick = dict(epochs=2, batch=8, workers=0, progress=False, dry_step=False, evaluate_every=0)
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**quick, **changes})


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.fixture(scope="module")
def few(dolls: pl.data.PaperDolls) -> pl.data.ReIDDataset:
    """Every third image of the drawn people, and their test."""
    return pl.data.ReIDDataset("few", dolls.train[::3], dolls.query, dolls.gallery)


def units(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


def slow_contrast(x: Tensor, rows: Tensor, own: list[int], temperature: float) -> float:
    total = 0.0
    for a in range(len(x)):
        cosines = [float(x[a] @ row / row.norm()) / temperature for row in rows]
        total += math.log(sum(math.exp(c) for c in cosines)) - cosines[own[a]]
    return total / len(x)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_the_loss_of_instances_is_the_slow_loop(temperature: float) -> None:
    torch.manual_seed(1)
    rows, views, places = Rows(6, 5, 0.1).double(), units(2, 3, 5).double(), torch.tensor([4, 0, 2])
    rows.assign(torch.arange(6), 0.7 * units(6, 5).double())  # means are shorter than 1
    slow = slow_contrast(views.flatten(0, 1), rows.memory.features[:, 0], [4, 0, 2, 4, 0, 2], temperature)
    assert rows.loss(views, places, temperature).item() == pytest.approx(slow, rel=1e-9)


def test_the_loss_of_clusters_is_the_slow_loop_without_outliers() -> None:
    torch.manual_seed(2)
    rows, views, places = Rows(6, 5, 0.1).double(), units(2, 3, 5).double(), torch.tensor([3, 1, 5])
    rows.assign(torch.tensor([0, 1, 1, 0, 2, -1]), units(6, 5).double())
    kept, of_clusters = views[:, :2].flatten(0, 1), rows.memory.features[:3, 0]
    slow = slow_contrast(kept, of_clusters, [0, 1, 0, 1], 0.05)
    assert rows.loss(views, places, 0.05).item() == pytest.approx(slow, rel=1e-9)
    assert rows.learns(places).tolist() == [True, True, False]


def test_the_loss_sends_no_gradient_into_the_memory_and_is_zero_of_nobody() -> None:
    x, rows = units(2, 4).requires_grad_(), units(3, 4).requires_grad_()
    contrast(x, rows, torch.tensor([0, 2]), 0.1).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0 and rows.grad is None
    assert contrast(x[:0], rows, torch.tensor([], dtype=torch.long), 0.1) == 0


@pytest.mark.parametrize("neighbours", [1, 3, 7, 20])
def test_jaccard_is_the_distance_of_sets(neighbours: int) -> None:
    torch.manual_seed(neighbours)
    x = units(20, 4)
    likeness = (x @ x.T).fill_diagonal_(2.0)
    near = [set(row.argsort(descending=True)[:neighbours].tolist()) for row in likeness]
    mutual = [{j for j in near[i] if i in near[j]} for i in range(20)]
    slow = torch.tensor([[1 - len(a & b) / len(a | b) for b in mutual] for a in mutual])
    assert torch.allclose(jaccard(x, neighbours), slow, atol=1e-6)


def test_jaccard_stays_a_distance_where_all_images_are_the_same() -> None:
    distance = jaccard(torch.ones(5, 3) / math.sqrt(3), 2)
    assert torch.equal(distance, distance.T) and distance.diagonal().eq(0).all()
    assert ((distance >= 0) & (distance <= 1)).all()


def test_dbscan_finds_planted_groups_and_leaves_strangers_out() -> None:
    torch.manual_seed(0)
    middles = torch.eye(16)[:3]
    groups = F.normalize(middles.repeat_interleave(8, 0) + 0.05 * torch.randn(24, 16), dim=-1)
    strangers = torch.eye(16)[10:13]
    labels = dbscan(jaccard(torch.cat([groups, strangers]), 8), eps=0.6, min_samples=4)
    assert labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8 + [-1] * 3
    assert purity(labels, (*[4] * 8, *[5] * 8, *[6] * 4, *[7] * 4, 1, 2, 3)) == pytest.approx(20 / 24, abs=1e-6)


def test_a_row_is_the_mean_of_its_images_and_moves_by_those_of_the_batch() -> None:
    x, new = torch.randn(5, 3), torch.randn(3, 3)
    rows = Rows(5, 3, momentum=0.25)
    rows.assign(torch.tensor([1, 0, 1, -1, 0]), x)
    first, second = (x[1] + x[4]) / 2, (x[0] + x[2]) / 2
    assert rows.count == 2 and rows.memory.filled.tolist() == [True, True, False, False, False]
    assert torch.allclose(rows.memory.features[:2, 0], torch.stack([first, second]))

    rows.update(torch.tensor([2, 3, 0]), new)  # both of row 1, and an outlier
    moved = 0.75 * second + 0.25 * (new[0] + new[2]) / 2
    assert torch.allclose(rows.memory.features[:2, 0], torch.stack([first, moved]), atol=1e-6)

    rows.assign(torch.tensor([0, 0, 0, 0, -1]), x)  # nothing of the old groups is left
    assert rows.count == 1 and rows.memory.features[1:].eq(0).all() and not rows.learns(torch.arange(5)).any()


def test_the_whole_image_is_its_patches_side_by_side() -> None:
    x = units(2, 4, 3)
    assert torch.allclose(whole(x), x.reshape(2, 12) / 2) and torch.allclose(whole(x).norm(dim=-1), torch.ones(2))


def rival(name: str, target: Any, net: pl.PatchNet, settings: pl.AdaptConfig, **changes: Any) -> pl.Run:
    if name == "instance":
        return discriminate_instances(settings, target, start=net, **changes)
    return learn_clusters(settings, target, start=net, **{"neighbours": 5, "min_samples": 2, "eps": 0.7, **changes})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["instance", "cluster"])
def test_labels_are_never_seen_and_the_seed_decides(name: str, few: pl.data.ReIDDataset, net: pl.PatchNet) -> None:
    turned = dataclasses.replace(few.train, pids=tuple(reversed(few.train.pids or ())))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    bare, told, other = (
        rival(name, data, net, config(seed=seed)) for data, seed in ((few.unlabelled(), 3), (turned, 3), (turned, 4))
    )
    assert same(bare.net, told.net) and not same(bare.net, other.net)
    assert [r["loss"] for r in bare.history] == [r["loss"] for r in told.history]
    assert "cluster_purity" not in bare.history[0] and ("cluster_purity" in told.history[0]) == (name == "cluster")
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items()), "the start was changed"
    changed = {k for k, v in bare.net.state_dict().items() if not torch.equal(v, before[k])}
    assert "reduction.weight" in changed and "norm.running_mean" in changed
    assert not any(k.startswith(("generator.", "classifier.", "embedding.")) for k in changed)


@pytest.mark.slow
def test_learning_lowers_the_loss_and_the_judge_looks(few: pl.data.ReIDDataset, net: pl.PatchNet) -> None:
    run = rival("instance", few, net, config(epochs=4, evaluate_every=4, decay_epoch=3), lr_factor=0.5)
    losses = [row["loss"] for row in run.history]
    assert losses[-1] < losses[0] < math.log(len(few.train)) + 1
    assert run.history[-1]["rank1"] == pytest.approx(pl.evaluate(run.net, few).rank1, abs=1e-6)
    assert run.history[0]["lr"] == pytest.approx(0.075) and run.history[3]["lr"] == pytest.approx(0.0075)
    assert run.memories["rows"].filled.all()


def test_fewer_than_two_clusters_teach_nothing(few: pl.data.ReIDDataset, net: pl.PatchNet, tmp_path: Path) -> None:
    count = len(few.train)
    none = rival("cluster", few, net, config(epochs=1), min_samples=count)
    one = rival("cluster", few, net, config(output=str(tmp_path)), neighbours=count)
    assert (none.history[0]["clusters"], none.history[0]["outliers"]) == (0, count)
    assert [(row["clusters"], row["outliers"]) for row in one.history] == [(1, 0), (1, 0)]
    assert "loss" not in one.history[0] and (tmp_path / "history.csv").exists()
    for run in (none, one):
        assert torch.equal(run.net.reduction.weight, net.reduction.weight)
    assert same(none.net, one.net), "batch-norm moved in an epoch that learned nothing"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["instance", "cluster"])
def test_a_run_goes_on_as_if_it_had_never_stopped(
    name: str, few: pl.data.ReIDDataset, net: pl.PatchNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_run = rival(name, few, net, config())
    steps, update = iter(range(100)), Rows.update

    def interrupted(rows: Rows, places: Tensor, features: Tensor) -> None:
        update(rows, places, features)
        if len(places) <= 8 and next(steps) == stop_after:
            raise KeyboardInterrupt

    stop_after = 1 + -(-len(few.train) // 8)  # in the second epoch
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Rows, "update", interrupted)
        rival(name, few, net, config(output=str(tmp_path), save_minutes=1e-9))
    again = rival(name, few, net, config(output=str(tmp_path)), resume=True)
    assert same(whole_run.net, again.net)
    assert same(whole_run.memories["rows"], again.memories["rows"])
    columns = ("loss", "clusters", "outliers")
    assert [[r.get(c) for c in columns] for r in whole_run.history] == [
        [r.get(c) for c in columns] for r in again.history
    ]
    with pytest.raises(InputError, match="temperature"):
        rival(name, few, net, config(output=str(tmp_path)), resume=True, temperature=0.3)


def test_what_does_not_fit_is_named(few: pl.data.ReIDDataset, net: pl.PatchNet) -> None:
    with pytest.raises(InputError, match="temperature = 0"):
        rival("instance", few, net, config(), temperature=0)
    with pytest.raises(InputError, match="lr_factor = -1"):
        rival("cluster", few, net, config(), lr_factor=-1)
    for wrong in ({"neighbours": 0}, {"neighbours": 10_000}, {"eps": 1.0}, {"min_samples": 0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} = "):
            rival("cluster", few, net, config(), **wrong)
    with pytest.raises(InputError, match="batch"):
        rival("instance", few, net, config(batch=10_000))


def test_a_missing_scikit_learn_is_named(
    few: pl.data.ReIDDataset, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(InputError, match=r"scikit-learn.*pip install 'paullite\[experiments\]'"):
        rival("cluster", few, net, config())
