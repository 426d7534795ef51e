"""Studies: what they run, that they go on where they stopped, and that the receipt tells it all."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import timm
import torch
from paulbook.cli import main
from paulbook.studies import real, receipts, runner
from paulbook.studies.arms import Arm
from paulbook.studies.settings import STUDY, Method, Settings
from paulbook.studies.studies import ALL, STUDIES, Study
from paulbook.studies.tables import arm_rows, base_of
from paulbook.studies.trial import METHODS, begin, key_of, phase1, random_boxes, run_trial, source_net
from paulbook.studies.units import image_level
from safetensors.torch import save_file

import paullite as pl
from paullite.models import stripes
from paullite.runs.provenance import versions
from paullite.step import Step

SMALL: dict[str, Any] = {
    "source": {"identities": 6, "test_identities": 2},
    "target": {"identities": 6, "test_identities": 4, "distractors": 2, "junk": 2},
    "pretrain": {"epochs": 1, "batch": 8, "generator_epochs": (0, 1), "lr_generator": 0.1},
    "adapt": {"epochs": 1, "batch": 8, "k": 5},
}
SETTINGS = Settings().changed(SMALL)


def small(changes: dict[str, Any]) -> dict[str, Any]:
    """An arm's changes in a small world."""
    both = {**SMALL, **changes}
    return {k: {**SMALL.get(k, {}), **v} if isinstance(v, dict) and k in SMALL else v for k, v in both.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trials and networks that the tests of this module share."""
    return tmp_path_factory.mktemp("experiments")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of four arms on two seeds, small enough for a test."""
    asked = {"direct": "direct", "paul": "adapt", "instance": "instance", "supervised": "supervised"}
    arms = {name: Arm(name, small({"method": method})) for name, method in asked.items()}
    study = Study("Does it run?", arms, (0, 1))
    for known in (STUDIES, ALL):
        monkeypatch.setitem(known, "tiny", study)
    return study


@pytest.fixture
def one_thread() -> Any:
    """Trials compute with one thread, also when a test calls them in this process."""
    was = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(was)


# ---- what the studies are ----


def test_every_arm_is_made_of_settings_that_exist() -> None:
    for name, study in STUDIES.items():
        made = [Settings().changed(arm.changes) for arm in study.arms.values()]
        assert study.base in study.arms and len(study.arms) > 2, name
        keys = [key_of(settings.facts(), 0) for settings in made]
        assert len(set(keys)) == len(keys), f"two arms of {name} are the same"
        assert len(study.seeds) == (10 if name in ("ablation", "kinds", "negatives", "rivals", "patches") else 5)


def test_every_method_is_known() -> None:
    assert set(METHODS) == set(get_args(Method))


def test_studies_share_their_trials() -> None:
    """The arm PAUL is run once for all studies that have it."""
    keys = {
        name: {key_of(Settings().changed(a.changes).facts(), 0) for a in s.arms.values()} for name, s in STUDIES.items()
    }
    base = key_of(Settings().facts(), 0)
    assert sum(base in found for found in keys.values()) >= 8
    assert keys["shift"] & keys["ablation"] >= {base}


def test_surrogates_are_switched_one_by_one() -> None:
    arms = STUDIES["surrogates"].arms
    crop = Settings().changed(arms["crop"].changes).adapt
    assert crop.crop == STUDY.adapt.crop and crop.rotation == 0 and crop.jitter == (0, 0, 0, 0)
    none = Settings().changed(arms["none"].changes).adapt
    assert none.crop == (1, 1) and none.rotation == 0


def test_labels_study_keeps_the_number_of_steps() -> None:
    for count in (10, 20):
        phase = Settings().changed(STUDIES["labels"].arms[f"source={count}"].changes).pretrain
        assert phase.epochs * count == STUDY.pretrain.epochs * 80
        assert phase.decay_epoch / phase.epochs == STUDY.pretrain.decay_epoch / STUDY.pretrain.epochs


# ---- one trial ----


def test_key_tells_settings_and_seeds_apart() -> None:
    facts = SETTINGS.facts()
    assert key_of(facts, 0) == key_of(json.loads(json.dumps(facts)), 0) != key_of(facts, 1)
    assert key_of(SETTINGS.changed({"adapt": {"k": 4}}).facts(), 0) != key_of(facts, 0)


def test_random_boxes_lie_inside_and_differ_by_seed() -> None:
    boxes = random_boxes(6, 3)
    for axis in (0, 1):
        assert (boxes[:, axis, axis] + boxes[:, axis, 2].abs() <= 1 + 1e-6).all()
    assert (boxes[:, 1, 1] >= 1 / 6).all() and not torch.equal(boxes, random_boxes(6, 4))


@pytest.mark.slow
@pytest.mark.parametrize("patches", ["stripes", "random"])
def test_patches_stay_where_they_were_put(patches: str, folder: Path, one_thread: None) -> None:
    settings = SETTINGS.changed({"patches": patches})
    net = source_net(settings, 0, folder).eval()
    theta = net(torch.randn(2, 3, 128, 64)).theta
    expected = stripes(6) if patches == "stripes" else random_boxes(6, 0)
    assert torch.allclose(theta, expected.expand(2, -1, -1, -1), atol=1e-6)
    assert phase1(settings, 0).generator_epochs == (0, 0)


@pytest.mark.slow
def test_learned_patches_move(folder: Path, one_thread: None) -> None:
    theta = source_net(SETTINGS, 0, folder).eval()(torch.randn(2, 3, 128, 64)).theta
    assert not torch.allclose(theta, stripes(6).expand(2, -1, -1, -1), atol=1e-4)


def test_reference_generator_takes_random_boxes() -> None:
    settings = SETTINGS.changed({"patches": "random", "pretrain": {"generator": "reference"}})
    theta = begin(settings, 0, 6).eval()(torch.randn(2, 3, 128, 64)).theta
    assert torch.allclose(theta[0], random_boxes(6, 0), atol=1e-5)


@pytest.mark.slow
def test_outcome_tells_what_was_run(folder: Path, one_thread: None) -> None:
    found = run_trial(SETTINGS, 0, folder)
    assert found["settings"] == json.loads(json.dumps(SETTINGS.facts())) and found["seed"] == 0
    assert [row["epoch"] for row in found["history"]] == [0, 1]
    assert found["history"][0]["same_person_chance"] > 0 and "false_negatives" in found["history"][1]
    queries = sum(found["people"]["queries"])
    assert found["scores"]["rank1"] == pytest.approx(sum(found["people"]["hits"]) / queries, abs=1e-5)
    assert found["scores"]["map_step"] == pytest.approx(sum(found["people"]["precisions"]) / queries, abs=1e-5)
    assert found["scores"]["rank1"] == found["history"][1]["rank1"]
    assert {"draw", "adapt", "judge"} <= found["seconds"].keys()


# ---- a whole study ----


@pytest.mark.slow
def test_study_runs_resumes_and_repeats(tiny: Study, tmp_path: Path) -> None:
    said: list[str] = []
    path = runner.run_study("tiny", tmp_path, jobs=2, say=said.append)
    assert said[0] == "trials: 8, still to run: 8, networks to pretrain first: 2; jobs: 2"
    receipt, first = receipts.read(path), path.read_text()
    assert [(t.arm, t.seed) for t in receipt.trials] == [(arm, seed) for arm in tiny.arms for seed in (0, 1)]
    assert receipt.command == "paulbook experiment tiny" and receipt.versions == versions()
    assert str(tmp_path) not in first and os.path.expanduser("~") not in first
    rows = receipts.history(path)
    assert {row["arm"] for row in rows} == {"paul", "instance"} and {row["epoch"] for row in rows} == {0, 1}

    lost = sorted((tmp_path / "trials").glob("*.json"))[::3]
    for file in lost:
        file.unlink()
    again = receipts.read(runner.run_study("tiny", tmp_path, jobs=1, say=said.append))
    assert f"trials: 8, still to run: {len(lost)}, networks to pretrain first: 0; jobs: 1" in said
    assert [t.scores for t in again.trials] == [t.scores for t in receipt.trials]  # other processes, the same bits

    few = receipts.read(runner.run_study("tiny", tmp_path, seeds=(1,), say=said.append))
    assert few.command == "paulbook experiment tiny --seeds 1" and {t.seed for t in few.trials} == {1}
    assert base_of(receipt) == "paul" and [row.seeds for row in arm_rows(receipt)] == [2, 2, 2, 2]


@pytest.mark.slow
def test_bad_trial_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> None:
    arms = {"paul": Arm("K too large", small({"adapt": {**SMALL["adapt"], "k": 5000}}))}
    monkeypatch.setitem(STUDIES, "bad", Study("?", arms, (0,)))
    (folder / "nets").mkdir(exist_ok=True)
    (tmp_path / "nets").symlink_to(folder / "nets")
    with pytest.raises(pl.InputError, match=r"found K = 5000 with \d+ training images; expected K < N"):
        runner.run_study("bad", tmp_path, jobs=1, say=lambda _: None)
    assert not list(tmp_path.glob("*.json"))


LONG = """
from paulbook.cli import main
from paulbook.studies import studies
from paulbook.studies.arms import Arm
from paulbook.studies.studies import Study
if __name__ == "__main__":
    world = {"source": {"identities": 6}, "target": {"identities": 6}, "pretrain": {"epochs": 500, "batch": 8}}
    studies.STUDIES["long"] = Study("?", {"paul": Arm("long", world)}, (0, 1))
    raise SystemExit(main(["experiment", "long", "--output", "out", "--jobs", "2"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_study_leaves_no_process(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(LONG)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # not traced: quick
    started = subprocess.Popen(
        [sys.executable, "long.py"], cwd=tmp_path, env=plain, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_for(lambda: len(of_session(started.pid)) >= 3)  # itself and two that work
        time.sleep(3)
        os.killpg(started.pid, how) if how == signal.SIGINT else os.kill(started.pid, how)
        text = started.communicate(timeout=180)[1]
        if how == signal.SIGINT:
            assert started.returncode == 130
            line = "paulbook: stopped; what was finished is in out, the same command does the rest"
            assert line in text.splitlines() and "Traceback" not in text
        wait_for(lambda: not of_session(started.pid))
    finally:
        for left in of_session(started.pid):
            os.kill(left, signal.SIGKILL)


def of_session(leader: int) -> list[int]:
    """Processes of a session that are alive."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def wait_for(true: Callable[[], bool], seconds: float = 180) -> None:
    """Until something is true, or fail."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


# ---- the command line ----


def test_unknown_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "ablatoin"]) == 2
    assert "nearest: ablation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["ablation", "--gpu"], "found options of market1501 for ablation"),
        (["market1501"], "found no --root FOLDER"),
        (["market1501", "--root", "somewhere"], "found no --weights FILE"),
        (["ablation", "--seeds", "-1"], "expected 0 or more"),
        (["ablation", "--jobs", "-1"], "jobs 0 is one for each core"),
    ],
)
def test_options_that_do_not_fit(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", *options]) == 2
    assert message in capsys.readouterr().err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed and study.question in listed for name, study in STUDIES.items())


@pytest.mark.slow
def test_compare_two_judgements(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    dolls = pl.data.PaperDolls("target", identities=4, test_identities=4)
    monkeypatch.setattr("paullite.data.readers.PaperDolls", lambda *_: dolls)
    for name, more in {"a": [], "b": ["--control", "batch-norm"]}.items():
        assert (
            main(["evaluate", "paperdolls-target", "--workers", "0", "--receipt", f"{tmp_path}/{name}.json", *more])
            == 0
        )
    capsys.readouterr()
    assert main(["compare", f"{tmp_path}/a.json", f"{tmp_path}/b.json"]) == 0
    text = capsys.readouterr().out
    assert "control none (now batch_norm)" in text and "cannot be said" in text and "same test people" in text


def test_receipt_needs_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "paperdolls-target", "--receipt", f"{tmp_path}/a.txt"]) == 2
    assert "expected a name that ends in .json" in capsys.readouterr().err


# ---- real people: the same code on drawn ones ----


@pytest.fixture
def small_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> real.Real:
    backbone = timm.create_model("test_resnet", pretrained=False, num_classes=0)
    save_file(backbone.state_dict(), tmp_path / "weights.safetensors")
    quick = {"workers": 0, "progress": False, "dry_step": False, "epochs": 1, "batch": 8}
    preset = pl.Preset(
        replace(real.CPU.pretrain, backbone="test_resnet", backbone_options={}, feature_dim=8, **quick),
        replace(real.CPU.adapt, k=5, **quick),
    )
    dolls = pl.data.PaperDolls("source", identities=4, test_identities=2)
    monkeypatch.setattr(real.Real, "sources", lambda self: {"dolls": dolls, "real": dolls})
    target = pl.data.PaperDolls("target", identities=6, test_identities=4)
    return real.Real(target, str(tmp_path / "weights.safetensors"), preset=preset, people=4)


@pytest.mark.slow
def test_real_people_in_small(small_real: real.Real, tmp_path: Path) -> None:
    path = real.run_real(small_real, tmp_path / "out", command="paulbook experiment market1501", say=lambda _: None)
    receipt = receipts.read(path)
    stages = ("direct", "batch_norm", "paul")
    assert list(receipt.arms) == ["features", *(f"{s}/{stage}" for s in ("dolls", "real") for stage in stages)]
    assert receipt.settings["target"]["people"] == 4 and str(tmp_path) not in path.read_text()
    kept = pl.load(tmp_path / "out" / "dolls-adapt" / "run.safetensors")
    assert isinstance(kept, pl.Run) and len(kept.memories["patches"].features) == len(small_real.images().train)
    scores = {trial.arm: trial.scores for trial in receipt.trials}
    assert pl.evaluate(kept.net, small_real.target).headline() == scores["dolls/paul"]
    again = receipts.read(real.run_real(small_real, tmp_path / "out", command="", say=lambda _: None))
    assert {t.arm: t.scores for t in again.trials} == scores  # the networks that are there are read


@pytest.mark.slow
def test_bare_network_is_the_backbone_averaged(small_real: real.Real, tmp_path: Path) -> None:
    net = real.bare(small_real.pretrain(tmp_path)).eval()
    images = torch.randn(2, 3, 128, 64)
    features = net(images).features
    assert features.shape == (2, 6, net.backbone.channels)
    weights = net(images).attention  # B P H W
    pooled = torch.einsum("bphw,bchw->bpc", weights, net.backbone(images))
    assert torch.allclose(features, torch.nn.functional.normalize(pooled, dim=-1), atol=1e-4)


def test_real_people_without_weights(tmp_path: Path) -> None:
    dolls = pl.data.PaperDolls("target", identities=4, test_identities=4)
    with pytest.raises(pl.InputError, match="give --weights FILE"):
        real.run_real(real.Real(dolls, str(tmp_path / "none")), tmp_path, command="")


def test_a_control_judges_what_was_learned_without_it(folder: Path, one_thread: None) -> None:
    """The training of an arm and of the same arm with a control is one: only the judge differs."""
    plain = run_trial(SETTINGS, 0, folder)
    again = run_trial(replace(SETTINGS, control="camera_mean"), 0, folder)
    assert again["history"] == plain["history"] and again["scores"] != plain["scores"]
    net = pl.load(folder / "nets" / f"{key_of(SETTINGS.facts(), 0)}.safetensors")
    target = pl.data.PaperDolls("target", seed=0, **SETTINGS.target)
    scores = pl.evaluate(net, target, control=pl.controls.camera_mean(net, target))
    assert again["scores"] == pytest.approx(scores.headline())


def test_pedal_on_whole_images_by_loops() -> None:
    """The loss of one feature for an image: its squared distances are the means over the patches'."""
    features, memory = (torch.nn.functional.normalize(torch.randn(n, 3, 4), dim=-1) for n in (2, 6))
    memory[:2] = features
    config = pl.AdaptConfig(k=2, scale=3.0, ipfl_weight=0.0, pedal_weight=1.0)
    step = Step(features, torch.randn(2, 2, 5), torch.arange(2), memory, torch.randn(2, 5), config, 0)
    wanted = 0.0
    for i in range(2):
        far = [sum(float((features[i, p] - memory[j, p]).square().sum()) for p in range(3)) / 3 for j in range(6)]
        weights = [math.exp(-3.0 * d) for j, d in enumerate(far) if j != i]
        near = sorted(weights, reverse=True)[:2]
        wanted -= math.log(sum(near) / sum(weights)) / 2
    assert float(image_level(step).total) == pytest.approx(wanted, rel=1e-4)
