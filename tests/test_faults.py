"""What goes wrong in the middle of a run: it says so in one line, and nothing that was learned is lost."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

import paullite as pl
from paullite import files
from paullite.data import reading
from paullite.data.loading import SurrogatePairs
from paullite.data.reading import why_a_worker_failed, with_plain_errors
from paullite.files import writable_folder
from paullite.runs import checkpoint
from paullite.runs.checkpoint import checkpoints, read_checkpoint
from paullite.runs.folder import folder_lock
from paullite.runs.session import Session
from paullite.step import Step
from tests.runs import Fault, adapt_config, dolls, run, same_result, start_net

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]
EVERY_STEP = {"save_minutes": 1e-6}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to which nothing happened."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert run(folder) == (0, "")
    return folder


def goes_on(folder: Path, alone: Path) -> bool:
    """Whether the run can be taken up, and ends as if nothing had happened."""
    return run(folder, resume=True) == (0, "") and same_result(folder, alone)


def test_a_worker_dies(tmp_path: Path, alone: Path) -> None:
    folder = tmp_path / "run"
    code, said = run(folder, Fault("worker", 1), workers=1, image_memory=0)
    assert code == 0 and "\n" not in said
    assert said.startswith("a process that reads images died (")
    assert "use fewer --workers, or --workers 0; saved in" in said and said.endswith(
        "go on with --resume (resume=True)"
    )
    assert goes_on(folder, alone)


class CutOff:
    """A loader whose worker dies while it hands over a batch."""

    def __init__(self, error: Exception, num_workers: int) -> None:
        self.error, self.num_workers = error, num_workers

    def __iter__(self) -> Iterator[Any]:
        yield 1
        raise self.error


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "Connection reset by peer"), EOFError(), FileNotFoundError(2, "No such file")]
)
def test_a_worker_that_dies_while_it_hands_over_a_batch(error: Exception) -> None:
    with pytest.raises(pl.InputError, match=r"a process that reads images died \(.+\); expected it to go on"):
        list(with_plain_errors(CutOff(error, num_workers=1)))
    with pytest.raises(type(error)):  # without workers it is the error of whoever reads
        list(with_plain_errors(CutOff(error, num_workers=0)))


@dataclass(frozen=True)
class Opener:
    """Opens pictures, and fails with one of them."""

    opener: Any
    path: str
    error: Exception

    def __call__(self, path: str) -> Any:
        if path == self.path:
            raise self.error
        return self.opener(path)


def spoiled(data: pl.data.PaperDolls, part: str, error: Exception) -> pl.data.ReIDDataset:
    """The same data set; the opener of a part fails with its second picture, which no fingerprint looks at."""
    split = getattr(data, part)
    broken = replace(split, opener=Opener(split.opener, split.paths[1], error))
    return pl.data.ReIDDataset(
        "spoiled", **{"train": data.train, "query": data.query, "gallery": data.gallery, part: broken}
    )


@pytest.mark.parametrize(
    "error", [RuntimeError("the disk of my own\nwas eaten"), KeyError("colour"), OSError(5, "I/O error")]
)
def test_the_reason_of_a_worker_reaches_the_user(dolls: pl.data.PaperDolls, tmp_path: Path, error: Exception) -> None:
    config = adapt_config(workers=1, image_memory=0, memory_mode="eval", output=tmp_path)
    with pytest.raises(pl.InputError) as caught:
        pl.adapt(config, spoiled(dolls, "train", error), start=start_net())
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    assert str(caught.value).startswith(f"a process that reads images failed ({reason}); ")


def test_a_mistake_in_an_opener_costs_nothing_that_was_learned(dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    """Without workers it is raised as it is; what was learned before is saved."""
    data, config = (
        spoiled(dolls, "train", RuntimeError("my own mistake")),
        adapt_config(image_memory=0, output=tmp_path),
    )
    opener, second_path = data.train.opener, second_batch()[0]
    object.__setattr__(opener, "path", "")

    def loss(step: Step) -> torch.Tensor:
        object.__setattr__(opener, "path", second_path)
        return step.features.sum() * 1e-3

    with pytest.raises(RuntimeError, match="my own mistake"):
        pl.adapt(config, data, start=start_net(), loss=loss)
    assert [path.stem for path in checkpoints(tmp_path)] == ["checkpoint-000000001"]


@pytest.mark.parametrize(
    "said",
    [
        "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are out of "
        "shared memory. Please try to raise your shared memory limit.",
        "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  File x\n"
        "RuntimeError: unable to write to file </torch_12_34_0>: No space left on device (28)",
        "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  File x\n"
        "RuntimeError: unable to allocate shared memory for file </torch_1>: Resource temporarily unavailable (11)",
    ],
)
def test_a_small_shm_is_named(said: str) -> None:
    pattern = r"a process that reads images \w+ \(.*(Bus error|</torch_).*make /dev/shm larger .*or use --workers 0$"
    assert re.match(pattern, str(why_a_worker_failed(said)))


def test_too_many_open_files_are_not_a_small_shm() -> None:
    reason = "unable to open shared memory object </torch_1> in read-write mode: Too many open files (24)"
    said = str(
        why_a_worker_failed(f"Caught RuntimeError in DataLoader worker process 0.\n  File\nRuntimeError: {reason}")
    )
    assert said.startswith(f"a process that reads images failed (RuntimeError: {reason})") and "/dev/shm" not in said


def test_the_guard_is_named_where_workers_need_one(monkeypatch: pytest.MonkeyPatch) -> None:
    died = "DataLoader worker (pid(s) 7) exited unexpectedly"
    for method in ("fork", "spawn", "forkserver"):
        monkeypatch.setattr(reading, "get_start_method", lambda method=method: method)
        assert ('if __name__ == "__main__":' in str(why_a_worker_failed(died))) is (method != "fork")


def without_a_match(dolls: pl.data.PaperDolls, how: str) -> pl.data.ReIDDataset:
    """The same data set, with one camera for all, or with people in query whom nobody else has seen."""
    query, gallery = dolls.query, dolls.gallery
    if how == "one camera":
        query, gallery = (replace(part, camids=(0,) * len(part)) for part in (query, gallery))
    else:
        query = replace(query, pids=tuple(pid + 1000 for pid in query.pids or ()))
    return pl.data.ReIDDataset("lone", dolls.train, query, gallery)


@pytest.mark.parametrize("how", ["one camera", "strangers"])
def test_what_cannot_be_judged_is_said_before_the_first_step_and_trains(
    dolls: pl.data.PaperDolls, source: pl.data.PaperDolls, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    said_before: list[int] = []

    def loss(step: Step) -> torch.Tensor:
        said_before.append(caplog.text.count("has a match in the gallery"))
        return step.features.sum() * 1e-3

    run = pl.adapt(adapt_config(), without_a_match(dolls, how), start=start_net(), loss=loss)
    assert set(said_before) == {1} == {caplog.text.count("has a match")} and len(run.history) == 2
    assert f"none of the {len(dolls.query)} queries has a match" in caplog.text and "--evaluate-every 0" in caplog.text
    assert "rank1" not in run.history[-1]
    config = replace(pl.PRESETS["paperdolls"].pretrain, epochs=1, batch=20, feature_dim=16, progress=False)
    assert "rank1" not in pl.pretrain(config, without_a_match(source, how)).history[0]
    caplog.clear()
    pl.adapt(adapt_config(epochs=1, evaluate_every=0), without_a_match(dolls, how), start=start_net())
    assert "match" not in caplog.text
    assert "rank1" in pl.adapt(adapt_config(epochs=1), dolls, start=start_net()).history[0]


@pytest.mark.parametrize("error", [pl.InputError("cannot read the image"), ValueError("a mistake")])
def test_a_judge_that_fails_ends_no_training(
    dolls: pl.data.PaperDolls, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    data = spoiled(dolls, "query", error)

    def mend(epoch: int, net: pl.PatchNet) -> None:
        object.__setattr__(data.query.opener, "path", "")

    run = pl.adapt(adapt_config(), data, start=start_net(), after_epoch=mend)
    assert ["rank1" in row for row in run.history] == [False, True]
    assert f"{error}; the training goes on without scores of this epoch" in caplog.text


def test_the_judge_of_a_run_sees_what_evaluate_sees(dolls: pl.data.PaperDolls) -> None:
    """Also where the steps are in half precision."""
    run = pl.adapt(adapt_config(epochs=1, precision="bf16"), dolls, start=start_net())
    assert {name: run.history[0][name] for name in ("rank1", "map_step")}.items() <= pl.evaluate(
        run.net, dolls
    ).headline().items()
    seen: list[torch.Tensor] = []

    def look(epoch: int, net: pl.PatchNet) -> None:
        seen.append(net.eval()(torch.ones(1, 3, 128, 64)).features)

    run = pl.adapt(
        adapt_config(epochs=1, precision="bf16", evaluate_every=0), dolls, start=start_net(), after_epoch=look
    )
    assert torch.equal(seen[0], run.net(torch.ones(1, 3, 128, 64)).features)


def test_a_lock_that_was_just_created(tmp_path: Path) -> None:
    """Nobody has written a name yet; an empty file that nobody holds is free."""
    (tmp_path / "running.lock").touch()
    with folder_lock(tmp_path):
        (tmp_path / "running.txt").unlink()
        with (
            pytest.raises(pl.InputError, match=r"found another run at work in .* \(an unknown process\)"),
            folder_lock(tmp_path),
        ):
            pass
        (tmp_path / "running.txt").touch()
        with pytest.raises(pl.InputError, match=r"\(an unknown process\)"), folder_lock(tmp_path):
            pass


def test_the_disk_is_full_in_the_middle_of_a_save(tmp_path: Path, alone: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    pytest.importorskip("resource")
    folder = tmp_path / "run"
    code, said = run(folder, Fault("full", 1), **EVERY_STEP)
    assert code == 0 and "\n" not in said
    assert "cannot write" in said and "File too large" in said and "free some room or choose another --output" in said
    assert [read_checkpoint(path) is not None for path in checkpoints(folder)] == [True]
    assert not list(folder.glob("*.part"))
    assert goes_on(folder, alone)


def finite(folder: Path) -> bool:
    """Whether no checkpoint of a run holds a number that is none."""
    tensors = [t for path in checkpoints(folder) for t in read_checkpoint(path)[0].values()]
    return all(bool(t.isfinite().all()) for t in tensors)


@pytest.mark.parametrize("saving", [{}, EVERY_STEP], ids=["at the end of the epoch", "after every step"])
@pytest.mark.parametrize("where", ["nan", "nan, ctrl-c"])
def test_a_batch_that_is_not_finite(tmp_path: Path, alone: Path, where: str, saving: dict[str, float]) -> None:
    """It is noticed one step late, or before a save if one comes first; nothing of it is kept."""
    folder = tmp_path / "run"
    code, said = run(folder, Fault(where, 1), **saving)
    assert code == 0 and "\n" not in said
    assert said.startswith("found NaN or infinity in the features of batch 2 of epoch 1, with paperdolls")
    listed = (folder / "bad_batch.txt").read_text(encoding="utf-8").split()
    assert listed == second_batch() and f"and 5 more (all of them: {folder / 'bad_batch.txt'})" in said
    assert all(path in said for path in listed[:3])
    assert [path.name for path in checkpoints(folder)] == (["checkpoint-000000001.safetensors"] if saving else [])
    assert finite(folder) and not (folder / "run.safetensors").exists()
    assert goes_on(folder, alone)


def second_batch() -> list[str]:
    """The paths of the images of the second batch."""
    images = dolls().unlabelled()
    pairs = SurrogatePairs(images, (128, 64), ([0.5] * 3, [0.5] * 3), adapt_config())
    return [images.paths[place] for place in pairs.order(0)[1]]


def steps_until(stop: type[Exception], bad: int, **changes: Any) -> tuple[int, str]:
    """Adapt with a loss that is NaN from step ``bad`` on: how many steps were begun, and what was said."""
    begun = 0

    def loss(step: Step) -> torch.Tensor:
        nonlocal begun
        begun += 1
        return step.features.sum() * (torch.nan if begun >= bad else 1e-3)

    with pytest.raises(stop) as caught:
        pl.adapt(adapt_config(**changes), dolls(), start=start_net(), loss=loss)
    return begun, str(caught.value)


def test_a_loss_that_is_not_finite_stops_the_run_within_one_step() -> None:
    """Without a folder, too; the features are fine in that step, so the loss is what is named."""
    begun, said = steps_until(pl.InputError, 3)
    assert begun == 4 and said.startswith("found NaN or infinity in the loss of batch 3 of epoch 1, with ")
    assert "and 5 more; expected finite numbers" in said


def test_the_last_batch_of_a_run_is_looked_at_too(tmp_path: Path) -> None:
    """No step comes after it, and still nothing is returned."""
    last = -(-len(dolls().train) // 8)
    begun, said = steps_until(pl.InputError, last, epochs=1, output=str(tmp_path / "run"))
    assert begun == last and f"in the loss of batch {last} of epoch 1" in said
    assert not list((tmp_path / "run").glob("*.safetensors"))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """A finite loss whose gradient is NaN: the checkpoint falls due before the next loss could tell."""

    def loss(step: Step) -> torch.Tensor:
        return (step.features * 0).abs().sum().sqrt()  # 0, with the slope 0 * infinity

    with pytest.raises(pl.InputError, match=r"found NaN in .*net\.backbone.*expected finite numbers.*learning rate"):
        pl.adapt(adapt_config(output=str(tmp_path / "run"), **EVERY_STEP), dolls(), start=start_net(), loss=loss)
    assert not list((tmp_path / "run").glob("*.safetensors"))


def write_out(dolls: pl.data.PaperDolls, folder: Path) -> pl.data.Split:
    """Drawn people as files, like a folder that a user brings."""
    folder.mkdir()
    for number, item in enumerate(dolls.train):
        item.image.save(folder / f"{number:03d}.png")
    return pl.data.ImageFolder(folder).unlabelled()


def test_an_image_is_deleted_while_training(
    dolls: pl.data.PaperDolls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, start, folder = write_out(dolls, tmp_path / "images"), start_net(), tmp_path / "run"
    config = adapt_config(image_memory=0)  # images are read when their batch comes
    expected = pl.adapt(config, images, start=start)
    last = SurrogatePairs(images, start.size, start.normalisation, config).order(0)[-1][0]
    path = Path(images.paths[last])
    pixels, learn = path.read_bytes(), Session.learn

    def learn_and_delete(session: Session, *loss: torch.Tensor, **watched: torch.Tensor) -> None:
        path.unlink(missing_ok=True)
        learn(session, *loss, **watched)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "learn", learn_and_delete)
        said = rf"cannot read the image .*{path.name}.*; saved in .* up to step \d+; go on with --resume"
        with pytest.raises(pl.InputError, match=said):
            pl.adapt(replace(config, output=str(folder)), images, start=start)
    path.write_bytes(pixels)
    again = pl.adapt(replace(config, output=str(folder)), images, start=start, resume=True)
    assert [row["loss"] for row in again.history] == [row["loss"] for row in expected.history]
    assert all(
        torch.equal(a, b)
        for a, b in zip(expected.net.state_dict().values(), again.net.state_dict().values(), strict=True)
    )


def test_images_in_memory_are_not_read_again(dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    """With room for them, they are read once: a drive that goes away later stops nothing."""
    images, start = write_out(dolls, tmp_path / "images"), start_net()

    def delete_all(*_: object) -> None:
        for path in (tmp_path / "images").iterdir():
            path.unlink()

    config = adapt_config(evaluate_every=0)
    read_often = pl.adapt(replace(config, image_memory=0), images, start=start)
    read_once = pl.adapt(config, images, start=start, after_epoch=delete_all)
    assert [row["loss"] for row in read_once.history] == [row["loss"] for row in read_often.history]


def test_a_folder_that_cannot_be_written(dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(pl.InputError, match="cannot write to .*choose another --output"):
            pl.adapt(adapt_config(output=str(folder)), dolls, start=start_net())
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(pl.InputError, match="cannot write to"):
        writable_folder(tmp_path)


def test_two_runs_on_one_folder(dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        for resume in (False, True):
            with pytest.raises(pl.InputError, match=rf"found another run at work in .*\(process {os.getpid()} on .+\)"):
                pl.adapt(adapt_config(output=str(tmp_path)), dolls, start=start_net(), resume=resume)
        assert (tmp_path / "running.txt").is_file()
    assert not (tmp_path / "running.txt").exists() and (tmp_path / "running.lock").stat().st_size == 0
    pl.adapt(adapt_config(output=str(tmp_path), epochs=1), dolls, start=start_net())
    assert not (tmp_path / "running.txt").exists()
    with folder_lock(tmp_path):  # the run has given it back
        pass


def test_the_lock_of_a_run_that_was_killed_is_free(tmp_path: Path) -> None:
    """It left both files; the system knows that nobody holds the lock."""
    code = "import os, pathlib, sys; from paullite.runs.folder import folder_lock; "
    code += "held = folder_lock(pathlib.Path(sys.argv[1])); held.__enter__(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "running.lock").is_file() and (tmp_path / "running.txt").is_file()
    with folder_lock(tmp_path):
        assert (tmp_path / "running.txt").read_text(encoding="utf-8").startswith(f"process {os.getpid()} on ")


def test_a_drive_without_locks_is_named_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError("no locks on this drive")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with folder_lock(tmp_path):
        assert (tmp_path / "running.txt").is_file()
    assert "see that one run alone writes there" in caplog.text


def test_a_table_that_another_program_holds_open_stops_nothing(
    dolls: pl.data.PaperDolls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Windows refuses to replace it; the rows are in the checkpoint and in the result."""
    rename = Path.replace

    def held(self: Path, target: Path) -> Path:
        if target.name == "history.csv":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(files.Path, "replace", held)
    done = pl.adapt(adapt_config(output=str(tmp_path)), dolls, start=start_net())
    assert len(done.history) == 2 and not (tmp_path / "history.csv").exists()
    warned = [r for r in caplog.records if r.name == "paullite" and r.levelno == logging.WARNING]
    assert len(warned) == 2 and all("history.csv" in r.message and "the training goes on" in r.message for r in warned)
    kept = pl.load(tmp_path / "run.safetensors")
    assert isinstance(kept, pl.Run) and kept.history == done.history and not list(tmp_path.glob("*.part"))


def test_a_checkpoint_that_cannot_be_removed_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets nobody remove a file that a virus scanner has open."""
    unlink = Path.unlink

    def held(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".safetensors":
            raise PermissionError(13, "Permission denied")
        unlink(self, missing_ok)

    tensors = {"net.a": torch.ones(3)}
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Path, "unlink", held)
        for steps in range(5):
            checkpoint.write_checkpoint(tmp_path, steps, tensors, {})
    assert len(checkpoints(tmp_path)) == 5
    checkpoint.write_checkpoint(tmp_path, 5, tensors, {})
    assert len(checkpoints(tmp_path)) == checkpoint.KEPT


def test_an_earlier_run_that_cannot_be_removed_is_not_mixed_with_the_new_one(
    dolls: pl.data.PaperDolls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checkpoints may be of more steps, and would then be taken for the newest."""
    config = adapt_config(output=str(tmp_path), epochs=1)
    pl.adapt(config, dolls, start=start_net())
    before = sorted(path.name for path in tmp_path.glob("*.safetensors"))

    def held(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch, pytest.raises(pl.InputError, match="cannot remove an older file"):
        patch.setattr(checkpoint.Path, "unlink", held)
        files.remove(checkpoint.earlier_run(tmp_path, force=True))
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == before


def test_nothing_that_was_read_hangs_on_the_file(tmp_path: Path) -> None:
    """On Windows a file that is mapped into memory can be neither removed nor replaced."""
    tensors = {"a": torch.arange(100_000.0), "b": torch.tensor(7), "c": torch.zeros(0)}
    path = checkpoint.write_checkpoint(tmp_path, 1, tensors, {})
    found, _ = read_checkpoint(path)
    if Path("/proc/self/maps").is_file():
        assert path.name not in Path("/proc/self/maps").read_text(encoding="utf-8")
    with open(path, "r+b") as file:  # a mapping would show the new bytes
        file.write(b"\xff" * path.stat().st_size)
    path.unlink()
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
