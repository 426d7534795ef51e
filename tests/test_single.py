"""Receipts of networks made by hand: a seed is added where nothing else differs, and `compare` then knows seeds."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paulbook.cli import main
from paulbook.studies import receipts
from paulbook.studies.compare import compare
from paulbook.studies.single import write_own, write_receipt

import paullite as pl
from paullite.errors import InputError
from paullite.evaluation import Scores

SETTINGS: dict[str, Any] = {"epochs": (2, 1), "loss": "mine"}


@pytest.fixture(scope="module")
def dolls() -> pl.data.ReIDDataset:
    return pl.data.PaperDolls("target", identities=4, test_identities=4)


@pytest.fixture(scope="module")
def scores(dolls: pl.data.ReIDDataset) -> Scores:
    return pl.evaluate(pl.shipped_net(), dolls)


@pytest.fixture
def own(dolls: pl.data.ReIDDataset, scores: Scores, tmp_path: Path) -> Callable[..., Path]:
    """Writes or adds to mine.json."""

    def write(seed: int, name: str = "mine", add: bool = True, **changes: Any) -> Path:
        told = {"title": "mine", "scores": scores, "dataset": dolls, "run": SETTINGS | {"seed": seed}, **changes}
        return write_own(tmp_path / f"{name}.json", **told, add=add)

    return write


def seeds_of(path: Path) -> list[int]:
    return [trial.seed for trial in receipts.read(path).trials]


def test_seeds_come_into_one_receipt(own: Callable[..., Path]) -> None:
    for seed in (0, 1, 2):
        path = own(seed)
    found = receipts.read(path)
    assert seeds_of(path) == [0, 1, 2] and list(found.arms) == ["net"]
    assert found.settings["run"] == {"epochs": [2, 1], "loss": "mine"}  # the seed is the trial's
    assert len(path.with_suffix(".csv").read_text().splitlines()) == 4


def test_compare_pairs_the_seeds(own: Callable[..., Path]) -> None:
    for seed in (3, 5):
        a, b = own(seed, "control", title="control"), own(seed)
    text = compare(str(a), str(b))
    assert "seeds 3, 5: same test people and queries" in text and "seeds, 95 % CI" in text
    assert (
        text.count("cannot be said") == 2
        and "2 seeds: from 3 on" in text
        and "settings, A (now B): none differs" in text
    )


def test_one_seed_more_on_one_side_is_left_out(own: Callable[..., Path]) -> None:
    a = [own(seed, "control", title="control") for seed in (0, 1)][-1]
    b = [own(seed) for seed in (0, 1, 2)][-1]
    assert "left out: seeds 2 of B" in compare(str(a), str(b))


def test_without_add_it_begins_anew(own: Callable[..., Path]) -> None:
    own(0)
    assert seeds_of(own(0, add=False)) == [0] and seeds_of(own(7, add=False)) == [7]


def test_what_cannot_be_added(
    own: Callable[..., Path], dolls: pl.data.ReIDDataset, scores: Scores, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own(0)
    before = path.read_text()
    backwards = dolls.query.take(range(len(dolls.query) - 1, -1, -1))
    other = pl.data.ReIDDataset(dolls.name, dolls.train, backwards, dolls.gallery)
    ranks = scores.first_ranks.copy()
    ranks[0] = 0  # a query without a match: another gallery
    cases: dict[str, tuple[int, dict[str, Any]]] = {
        "found seed 0 in .*mine.json already; expected another than 0; delete the file": (0, {}),
        r"epochs \[2, 1\] \(now \[2, 9\]\); expected seeds that differ": (
            1,
            {"run": {**SETTINGS, "epochs": (2, 9), "seed": 1}},
        ),
        r"title mine \(now control\)": (1, {"title": "control"}),
        r"control none \(now camera_mean\)": (1, {"control": "camera_mean"}),
        "found other test images than those of .*mine.json": (1, {"dataset": other}),
        "found other people, or another number of queries": (1, {"scores": replace(scores, first_ranks=ranks)}),
    }
    for message, (seed, changes) in cases.items():
        with pytest.raises(InputError, match=message):
            own(seed, **changes)
    monkeypatch.setattr("paulbook.studies.single.versions", lambda: {"torch": "0.1"})
    with pytest.raises(InputError, match=r"torch .* \(now 0.1\)"):
        own(1)
    assert path.read_text() == before  # nothing was touched


def test_no_seed_is_added_to_a_study(own: Callable[..., Path], tmp_path: Path) -> None:
    receipts.write(replace(receipts.read("v1/rivals"), study="mine"), tmp_path)
    with pytest.raises(InputError, match="found arms .*paul.* in .*mine.json; expected the receipt of one network"):
        own(9)


def test_networks_in_files_may_have_other_names(dolls: pl.data.ReIDDataset, scores: Scores, tmp_path: Path) -> None:
    path = tmp_path / "paul.json"
    for seed in (0, 1, 2):
        file = pl.save(pl.shipped_net(), tmp_path / f"paul-{seed}.safetensors")
        write_receipt(path, scores, dolls, net=str(file), seed=seed, add=True)
    found = receipts.read(path)
    names = "paul-0.safetensors + paul-1.safetensors + paul-2.safetensors"
    assert found.arms["net"]["title"] == names and seeds_of(path) == [0, 1, 2]


def test_a_run_tells_its_seed(dolls: pl.data.ReIDDataset, scores: Scores, tmp_path: Path) -> None:
    quick = replace(pl.PRESETS["paperdolls"].adapt, epochs=0, batch=8, k=5, workers=0, progress=False, seed=4)
    file = pl.save(pl.adapt(quick, dolls, start=pl.shipped_net()), tmp_path / "run.safetensors")
    path = write_receipt(tmp_path / "a.json", scores, dolls, net=str(file))
    assert seeds_of(path) == [4] and receipts.read(path).settings["run"]["k"] == 5
    assert seeds_of(write_receipt(path, scores, dolls, net=str(file), seed=6, add=True)) == [4, 6]


@pytest.mark.slow
def test_on_the_command_line(
    dolls: pl.data.ReIDDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("paullite.data.readers.PaperDolls", lambda *_: dolls)
    drawn: list[int] = []
    batch_norm = pl.controls.batch_norm

    def noted(net: pl.PatchNet, target: pl.data.ReIDDataset, *, seed: int) -> pl.PatchNet:
        drawn.append(seed)
        return batch_norm(net, target, seed=seed)

    monkeypatch.setattr("paullite.controls.batch_norm", noted)
    given = ["evaluate", "paperdolls-target", "--workers", "0", "--receipt", f"{tmp_path}/control.json", "--add"]
    for seed in ("0", "1"):
        assert main([*given, "--control", "batch-norm", "--seed", seed]) == 0
    trials = json.loads((tmp_path / "control.json").read_text())["trials"]
    assert [trial["seed"] for trial in trials] == drawn == [0, 1]
    assert main([*given, "--control", "batch-norm", "--seed", "1"]) == 2
    assert "found seed 1 in" in capsys.readouterr().err
    assert main([*given, "--seed", "2"]) == 2
    assert "control batch_norm (now none)" in capsys.readouterr().err
    assert main(["evaluate", "paperdolls-target", "--add"]) == 2
    assert "found no --receipt" in capsys.readouterr().err


@pytest.mark.slow
def test_ones_own_network_and_a_study_are_paired_on_the_same_test(tmp_path: Path) -> None:
    """Evaluated in the world that seed 3 of the ablation drew: it does not matter what it learned from."""
    world = receipts.read("v1/ablation").settings["target"]
    dolls = pl.data.PaperDolls("target", seed=3, passage_share=0, **world)
    mine = write_own(tmp_path / "mine.json", "mine", pl.evaluate(pl.shipped_net(), dolls), dolls, {"seed": 3})
    text = compare("v1/ablation:batch_norm", f"{mine}:net")
    assert "seeds 3: same test people and queries" in text and "different test data" not in text
    other = pl.data.ReIDDataset(dolls.name, dolls.train, dolls.query, dolls.gallery.take(range(len(dolls.gallery) - 1)))
    fewer = write_own(tmp_path / "few.json", "few", pl.evaluate(pl.shipped_net(), other), other, {"seed": 3})
    assert "different test data" in compare("v1/ablation:batch_norm", f"{fewer}:net")
