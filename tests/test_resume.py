"""A run that was stopped and a run that was left alone end with the same bits."""

import dataclasses
import json
import os
import random
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

import paullite as pl
from paullite.adaptation import empty_memories, learning
from paullite.runs import checkpoint, provenance
from paullite.runs.checkpoint import checkpoints, read_checkpoint, write_checkpoint
from paullite.runs.distributed import Team
from paullite.runs.folder import RunFolder
from paullite.runs.session import Session
from tests.runs import Fault, adapt_config, dolls, result, run, same_result, start_net

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]
EVERY_STEP = {"save_minutes": 1e-6}
# half a step, half a checkpoint, and an evaluation; saved after every step, or at the ends of epochs alone
KILLS = [
    (Fault("learn", 3), EVERY_STEP),
    (Fault("save", 1), EVERY_STEP),
    (Fault("learn", 2), {}),
    (Fault("evaluation", 0), {}),
    (Fault("save", 0), {}),
]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert run(folder) == (0, "")
    return folder


@pytest.mark.parametrize(("workers", "image_memory"), [(0, 1024), (2, 0)])
def test_killed_five_times(alone: Path, tmp_path: Path, workers: int, image_memory: int) -> None:
    """Images are kept in memory, or read in every epoch by two processes; in the end it is the other way round."""
    folder = tmp_path / "run"
    for number, (fault, saving) in enumerate(KILLS):
        code, _ = run(folder, fault, resume=number > 0, workers=workers, image_memory=image_memory, **saving)
        assert code == -9, (fault, code)
        assert not (folder / "run.safetensors").exists()
    assert run(folder, resume=True, workers=2 - workers, image_memory=1024 - image_memory) == (0, "")
    assert same_result(folder, alone)
    assert not list(folder.glob("*.part")) and len(list(folder.glob("checkpoint-*"))) <= 2


def test_a_run_that_is_over_is_handed_back(alone: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = result(alone)
    run_again = pl.adapt(adapt_config(output=str(alone)), dolls(), start=start_net(), resume=True)
    assert re.search(r"goes on from checkpoint-\d+.safetensors, after (\d+) steps of \1$", caplog.text, re.MULTILINE)
    assert [r["loss"] for r in run_again.history] == [r["loss"] for r in before[1]]
    assert all(torch.equal(value, before[0][f"net.{key}"]) for key, value in run_again.net.state_dict().items())


def test_ctrl_c_saves_and_says_how_to_go_on(alone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, said = run(folder, Fault("ctrl-c", 1), workers=2, image_memory=0)
    assert (
        code == 0
        and said
        == f"stopped after step 2 of {steps(alone)} in epoch 1; saved in {folder} up to step 2; "
        + ("go on with --resume (resume=True)")
    )
    assert run(folder, resume=True) == (0, "") and same_result(folder, alone)


def steps(folder: Path) -> int:
    """Steps of an epoch."""
    return int(sorted(folder.glob("checkpoint-*"))[-1].stem.split("-")[1]) // 2


def test_pretraining_goes_on_too(source: pl.data.PaperDolls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, epochs=2, batch=8, feature_dim=16, progress=False)
    config = dataclasses.replace(config, generator_epochs=(0, 2), backbone_options={"drop_path_rate": 0.2})
    alone = pl.pretrain(config, source)

    def stop(session: Session, *loss: torch.Tensor, **watched: torch.Tensor) -> None:
        if session.steps == 3:
            os.kill(os.getpid(), signal.SIGINT)
        learn(session, *loss, **watched)

    there, learn = dataclasses.replace(config, output=str(tmp_path)), Session.learn
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="stopped after step 4 of .* epoch 1; "):
        patch.setattr(Session, "learn", stop)
        pl.pretrain(there, source)
    again = pl.pretrain(there, source, resume=True)
    expected = alone.net.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in again.net.state_dict().items())
    assert [row["loss"] for row in alone.history] == [row["loss"] for row in again.history]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two checkpoints of a run that was killed in its second epoch."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    assert run(folder, Fault("evaluation", 1))[0] == -9
    assert len(checkpoints(folder)) == 2
    return folder


@pytest.fixture
def stopped(killed: Path, tmp_path: Path) -> Path:
    """A copy of that folder, as if it had been moved since."""
    return shutil.copytree(killed, tmp_path / "run")


def spoil(path: Path, how: str) -> None:
    """Make a checkpoint unreadable."""
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "one bit":
        path.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    else:
        pl.save(start_net(), path)


@pytest.mark.parametrize("how", ["cut", "one bit", "foreign"])
def test_the_one_before_a_torn_file_is_used(stopped: Path, alone: Path, how: str) -> None:
    newest = checkpoints(stopped)[-1]
    spoil(newest, how)
    with pytest.warns(UserWarning, match=rf"cannot use .*{newest.name} \(it is .*trying the one before it"):
        pl.adapt(adapt_config(output=str(stopped)), dolls(), start=start_net(), resume=True)
    assert same_result(stopped, alone) and newest.with_name(newest.name + ".unreadable").is_file()


@pytest.mark.filterwarnings("ignore:cannot use")
def test_no_readable_checkpoint_is_said(stopped: Path) -> None:
    for path in checkpoints(stopped):
        spoil(path, "cut")
    with pytest.raises(pl.InputError, match="found 2 checkpoints .* and none that can be read"):
        pl.adapt(adapt_config(output=str(stopped)), dolls(), start=start_net(), resume=True)
    with pytest.raises(pl.InputError, match="found 2 checkpoints .* none that can be read"):  # and not from the start
        pl.adapt(adapt_config(output=str(stopped)), dolls(), start=start_net(), resume=True)


def resumed(folder: Path, *, force: bool = False, net: pl.PatchNet | None = None, **changes: Any) -> pl.Run:
    return pl.adapt(
        adapt_config(output=str(folder), **changes), dolls(), start=net or start_net(), resume=True, force=force
    )


def test_other_settings_data_or_versions_are_named(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pl.InputError, match=r"made with lr 0.15 \(now 0.1\), k 3 \(now 4\); expected .*--force"):
        resumed(stopped, lr=0.1, k=4)
    with pytest.raises(pl.InputError, match=r"made with data \w+ \(now \w+\); "):
        fewer = pl.data.PaperDolls("target", identities=4, test_identities=2)
        pl.adapt(adapt_config(output=str(stopped)), fewer, start=start_net(), resume=True)
    with pytest.raises(pl.InputError, match=r"made with start \w+ \(now \w+\); "):
        other = start_net()
        other.reduction.bias.data += 1
        resumed(stopped, net=other)
    monkeypatch.setattr("paullite.runs.checkpoint.versions", lambda: provenance.versions() | {"torch": "0.4.1"})
    with pytest.raises(pl.InputError, match=r"made with torch 2.* \(now 0.4.1\); "):
        resumed(stopped)
    monkeypatch.undo()
    torch.set_num_threads(2)
    with pytest.raises(pl.InputError, match=r"made with threads 1 \(now 2\); "):
        resumed(stopped)
    torch.set_num_threads(1)
    assert resumed(stopped, force=True, lr=0.1, epochs=3).history[-1]["lr"] == 0.1


def test_a_run_may_be_made_longer(stopped: Path, tmp_path: Path) -> None:
    longer, at_once = resumed(stopped, epochs=3), tmp_path / "at once"
    assert run(at_once, epochs=3) == (0, "")
    assert [row["loss"] for row in longer.history] == [row["loss"] for row in result(at_once)[1]]


def test_what_changes_no_weight_may_differ(stopped: Path, alone: Path) -> None:
    done = resumed(stopped, workers=1, image_memory=0, evaluate_every=0, save_minutes=3.0, dry_step=True, progress=True)
    expected, _ = result(alone)
    assert all(torch.equal(value, expected[f"net.{key}"]) for key, value in done.net.state_dict().items())


def test_an_earlier_run_is_not_replaced_unasked(stopped: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in checkpoints(stopped)}
    with pytest.raises(pl.InputError, match="found an earlier run in .*go on with --resume .*replace it with --force"):
        pl.adapt(adapt_config(output=str(stopped)), dolls(), start=start_net())
    assert {path: path.stat().st_mtime_ns for path in checkpoints(stopped)} == before
    with pytest.raises(pl.InputError, match="use --bn-splits 8 or fewer"):  # --force removes nothing before it has more
        pl.adapt(adapt_config(output=str(stopped), bn_splits=100), dolls(), start=start_net(), force=True)
    assert {path: path.stat().st_mtime_ns for path in checkpoints(stopped)} == before
    again = pl.adapt(adapt_config(output=str(stopped), epochs=1), dolls(), start=start_net(), force=True)
    assert len(again.history) == 1 and len(checkpoints(stopped)) == 1


def test_resume_without_a_checkpoint_starts_at_the_beginning(
    tmp_path: Path, alone: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = resumed(tmp_path / "new")
    assert f"found no checkpoint in {tmp_path / 'new'}: starts at the beginning" in caplog.text
    for path in checkpoints(tmp_path / "new"):
        path.unlink()
    with pytest.raises(pl.InputError, match=r"found an earlier run in .*\(run.safetensors\)"):
        resumed(tmp_path / "new")
    assert [row["loss"] for row in done.history] == [row["loss"] for row in result(alone)[1]]
    with pytest.raises(pl.InputError, match="without an output folder"):
        pl.adapt(adapt_config(), dolls(), start=start_net(), resume=True)


def test_a_checkpoint_comes_back_bit_by_bit(tmp_path: Path) -> None:
    tied = torch.randn(3)
    tensors = {
        "a": torch.randn(2, 3).T,
        "b": torch.tensor(7),
        "c": torch.randn(4, dtype=torch.bfloat16),
        "d": tied,
        "e": tied,
    }
    path = write_checkpoint(tmp_path, 3, tensors, {"x": [0.1, None, {"y": "z"}]})
    found, facts = read_checkpoint(path)
    assert facts == {"x": [0.1, None, {"y": "z"}]} and all(torch.equal(found[k], v) for k, v in tensors.items())
    assert json.loads(json.dumps(facts)) == facts and b"pickle" not in path.read_bytes()[:4096]
    for number in (4, 5, 6):
        write_checkpoint(tmp_path, number, tensors, {})
    assert [p.name for p in checkpoints(tmp_path)] == [f"checkpoint-00000000{n}.safetensors" for n in (5, 6)]


def test_a_checkpoint_is_as_large_as_the_page_says() -> None:
    """ResNet-50 as phase 1 on MSMT17 leaves it, and the memories of Market-1501."""
    net = pl.PatchNet(identities=4101, pretrained=False)
    memories = empty_memories(net, 12_936, pl.PRESETS["market1501"].adapt)
    momenta = learning(net)
    states = [value for part in (net, *memories) for value in part.state_dict().values()]
    size = sum(tensor.nbytes for tensor in [*states, *momenta]) / 1e9
    page = Path(__file__).parent.parent / "book" / "reference" / "training.md"
    assert f"takes {size:.2f} GB" in page.read_text(encoding="utf-8")


def test_a_save_is_due_after_minutes() -> None:
    folder = RunFolder(None, Team(), resume=False, force=False)
    folder.saved_at -= 90
    assert [folder.is_late(minutes) for minutes in (1, 1.4, 1.6, 2, 0)] == [True, True, False, False, False]


def test_every_random_state_is_kept() -> None:
    import numpy as np

    cpu = torch.device("cpu")
    kept = json.loads(json.dumps(checkpoint.random_state(cpu)))
    first = torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random(), random.gauss(0, 1)
    checkpoint.set_random_state(cpu, kept)
    assert first == (torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random(), random.gauss(0, 1))


def test_a_scaler_comes_back() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    scaler.scale(torch.ones(()))
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(json.loads(json.dumps(scaler.state_dict())))
    other.scale(torch.ones(()))
    assert other.get_scale() == 64.0
