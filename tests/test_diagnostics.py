"""The hidden-label counts are what plain loops count, and they change nothing that is learned."""

import dataclasses
from typing import Any

import pytest
import torch
from paulbook.studies.trial import chance
from torch import Tensor

import paullite as pl
from paullite import adaptation
from paullite.config import AdaptConfig
from paullite.data.items import Split
from paullite.data.paperdolls.dolls import garment_at
from paullite.diagnostics import Diagnosis, agreement, nearest_rows
from paullite.step import Step

LABELLED = {"right_vetoes", "false_negatives", "false_hardest", "same_person"}
UNLABELLED = {"vetoes", "negatives", "agreement"}


def adapt_config(**changes: Any) -> AdaptConfig:
    quick: dict[str, Any] = dict(epochs=2, batch=8, k=3, workers=0, progress=False, evaluate_every=1, dry_step=False)
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**quick, **changes})


def step_of(index: Tensor, e: Tensor, centers: Tensor, config: AdaptConfig) -> Step:
    """A step of which only the embeddings (2, B, E) and the centers (B, E) matter."""
    nothing = torch.zeros(len(index), 1, 1)
    return Step(nothing, e, index, nothing, centers, config, epoch=0)


def split_of(pids: list[int]) -> Split:
    return Split.from_rows([(f"{i}.png", pid, i % 2) for i, pid in enumerate(pids)])


def slow_step(e: Tensor, centers: Tensor, pids: list[int], nearest: int, candidates: int) -> dict[str, float]:
    """The five counts by loops over anchors and candidates, as method.md tells the cycle."""
    size = len(centers)
    found = dict.fromkeys(("vetoes", "negatives", "right_vetoes", "false_negatives", "false_hardest"), 0.0)
    for a in range(2 * size):
        own, anchor = a % size, e.flatten(0, 1)[a]
        others = sorted((j for j in range(size) if j != own), key=lambda j: float((anchor - centers[j]).norm()))
        found["false_hardest"] += pids[others[0]] == pids[own]
        for j in others[:candidates]:
            near = sorted(range(size), key=lambda m: float((centers[j] - centers[m]).norm()) if m != j else -1.0)
            if own not in near[:nearest]:
                found["negatives"] += 1
                found["false_negatives"] += pids[j] == pids[own]
                break
            found["vetoes"] += 1
            found["right_vetoes"] += pids[j] == pids[own]
    return {name: value / (2 * size) for name, value in found.items()}


@pytest.mark.parametrize(("nearest", "candidates"), [(1, 15), (2, 3), (3, 15), (6, 2), (9, 15)])
def test_step_counts_what_loops_count(nearest: int, candidates: int) -> None:
    generator = torch.Generator().manual_seed(nearest)
    e, centers = torch.randn(2, 8, 5, generator=generator), torch.randn(8, 5, generator=generator)
    pids = [0, 0, 0, 1, 1, 1, 2, 2]
    config = AdaptConfig(nearest=nearest, max_candidates=candidates)
    found = Diagnosis(split_of([9, *pids]), config).step(step_of(torch.arange(1, 9), e, centers, config))
    assert all(value.shape == () and not value.requires_grad for value in found.values())  # they stay on the device
    seen = {name: float(value) for name, value in found.items()}
    assert seen == pytest.approx(slow_step(e, centers, pids, nearest, candidates))


def test_step_with_one_image_has_nobody_to_push() -> None:
    step = step_of(torch.tensor([0]), torch.zeros(2, 1, 3), torch.zeros(1, 3), AdaptConfig())
    found = Diagnosis(split_of([1, 2]), AdaptConfig()).step(step)
    assert found["vetoes"] == found["negatives"] == 0


def test_neighbours_and_agreement_by_loops() -> None:
    memory = torch.randn(9, 3, 4, generator=torch.Generator().manual_seed(0))
    near = nearest_rows(memory, torch.arange(9), 2)
    common = 0
    for i in range(9):
        lists = []
        for p in range(3):
            order = sorted((j for j in range(9) if j != i), key=lambda j: float((memory[i, p] - memory[j, p]).norm()))
            lists.append(set(order[:2]))
            assert set(near[i, p].tolist()) == lists[-1]
        common += sum(len(lists[p] & lists[q]) for p in range(3) for q in range(p))
    assert agreement(near, 9) == pytest.approx(common / (9 * 3 * 2))


def test_epoch_sees_planted_people_and_cameras(net: pl.PatchNet) -> None:
    """Memory rows of a person are equal, so their K = 2 nearest are the same person's, of either camera."""
    pids = [1, 1, 1, 2, 2, 2, 3, 3, 3]
    memory = torch.eye(3)[torch.tensor(pids) - 1][:, None].repeat(1, 2, 1)  # N P D
    found = Diagnosis(split_of(pids), AdaptConfig(k=2)).epoch(net, memory)
    assert found["same_person"] == 1 and found["agreement"] == 1
    assert found["other_camera"] == pytest.approx(2 / 3, abs=1e-6)  # cameras 0 1 0, 1 0 1, 0 1 0: 4 of 6 pairs, each
    mixed = Diagnosis(split_of([1, 2, 3] * 3), AdaptConfig(k=2)).epoch(net, memory)
    assert mixed["same_person"] == 0


def test_garments_by_loops(dolls: pl.data.PaperDolls) -> None:
    diagnosis, heights = Diagnosis(dolls, AdaptConfig(k=3)), [0.1, 0.4, 0.7, 0.95]
    looks = [dolls.pictures[path].look for path in dolls.train.paths]
    same = total = 0
    for i, one in enumerate(looks):
        for j, other in enumerate(looks):
            for height in heights:
                same += i != j and getattr(one, garment_at(height)) == getattr(other, garment_at(height))
                total += i != j
    assert chance(diagnosis, heights)["same_garment"] == pytest.approx(same / total, abs=1e-6)


def test_patches_lie_where_the_stripes_are(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    """Looking at them leaves every module in the mode that it was in."""
    net.train()
    net.backbone.eval()
    modes = [module.training for module in net.modules()]
    assert Diagnosis(dolls, AdaptConfig()).heights(net) == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert [module.training for module in net.modules()] == modes and True in modes and False in modes


def test_history_has_the_columns(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    run = pl.adapt(adapt_config(epochs=1), dolls, start=net)
    assert run.history[0].keys() >= LABELLED | UNLABELLED | {"same_garment", "other_camera"}
    assert 0 <= run.history[0]["right_vetoes"] <= run.history[0]["vetoes"]


def test_without_labels_only_the_unlabelled_columns(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    run = pl.adapt(adapt_config(epochs=1), dolls.unlabelled(), start=net)
    assert run.history[0].keys() >= UNLABELLED and not run.history[0].keys() & (LABELLED | {"same_garment"})


@pytest.mark.slow
def test_counting_changes_no_weight(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind(Diagnosis):
        def step(self, step: Step) -> dict[str, Tensor]:
            return {}

        def epoch(self, net: pl.PatchNet, memory: Tensor) -> dict[str, float]:
            return {}

    seen = pl.adapt(adapt_config(), dolls, start=net).net.state_dict()
    monkeypatch.setattr(adaptation, "Diagnosis", Blind)
    blind = pl.adapt(adapt_config(), dolls, start=net).net.state_dict()
    assert all(torch.equal(value, blind[name]) for name, value in seen.items())
