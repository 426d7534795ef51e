"""Files that another program holds open cost a run at most the current step, also by the rules of Windows."""

import mmap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

import paullite as pl
from paullite.files import read_history
from paullite.runs.checkpoint import checkpoints
from paullite.step import Step
from tests.runs import adapt_config, dolls, start_net
from tests.windows import windows

pytestmark = [pytest.mark.usefixtures("windows"), pytest.mark.slow]
__all__ = ["windows"]
QUICK: dict[str, Any] = dict(batch=20, evaluate_every=0)


def adapt(folder: Path, **changes: Any) -> pl.Run:
    """A short run in a folder."""
    options = {name: changes.pop(name) for name in ("loss", "after_epoch", "resume", "force") if name in changes}
    return pl.adapt(adapt_config(**{**QUICK, "output": folder, **changes}), dolls(), start=start_net(), **options)


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """A file that stays mapped although it is closed."""
    with open(path, "rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with view:
        yield


def never(step: Step) -> torch.Tensor:
    """A loss that must not be asked for."""
    raise AssertionError("a step was taken")


def test_the_imitation_refuses(tmp_path: Path) -> None:
    """So the tests below can fail."""
    path = tmp_path / "a"
    path.write_text("x")
    for hold in (mapped, open):
        with hold(path):  # type: ignore[operator]
            for refused in (path.unlink, lambda: path.replace(tmp_path / "b")):
                with pytest.raises(PermissionError):
                    refused()
    path.replace(tmp_path / "b").unlink()


def test_a_run_goes_on_and_holds_none_of_its_own_files(tmp_path: Path) -> None:
    """Stopped in its second epoch, resumed, and all but the last two checkpoints removed on the way."""

    def stop(epoch: int, net: pl.PatchNet) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="go on with --resume"):
        adapt(tmp_path, epochs=3, save_minutes=1e-6, after_epoch=stop)
    done = adapt(tmp_path, epochs=3, save_minutes=1e-6, resume=True)
    assert len(done.history) == 3 and len(checkpoints(tmp_path)) == 2
    assert not list(tmp_path.glob("*.part")) and not (tmp_path / "running.txt").exists()


def test_a_table_that_is_open_elsewhere_is_written_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    excel = ExitStack()

    def look(epoch: int, net: pl.PatchNet) -> None:
        if epoch == 1:
            excel.enter_context(mapped(tmp_path / "history.csv"))
        elif epoch == 2:
            assert [row["epoch"] for row in read_history(tmp_path)] == [1]
            excel.close()

    done = adapt(tmp_path, epochs=3, after_epoch=look)
    assert read_history(tmp_path) == done.history and len(done.history) == 3
    (said,) = [record.message for record in caplog.records if "history.csv" in record.message]
    assert "no other program that has the file open" in said and said.endswith("the training goes on")


def test_an_earlier_run_that_is_open_elsewhere_is_named_before_the_first_step(tmp_path: Path) -> None:
    adapt(tmp_path, epochs=1)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    for path in before:
        with mapped(path), pytest.raises(pl.InputError, match="cannot replace an earlier run .*close it"):
            adapt(tmp_path, epochs=1, force=True, loss=never)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")} == before
    adapt(tmp_path, epochs=1, force=True)


def test_a_result_that_is_open_elsewhere_loses_nothing(tmp_path: Path) -> None:
    """A notebook reads the network of one epoch while the run is made longer."""
    adapt(tmp_path, epochs=1)
    with safe_open(tmp_path / "run.safetensors", "pt") as file:
        assert file.get_tensor("net.norm.weight").numel()
        with pytest.raises(pl.InputError, match=r"cannot write .*run.safetensors.*go on with --resume"):
            adapt(tmp_path, epochs=2, resume=True)
    done = adapt(tmp_path, epochs=2, resume=True, loss=never)
    kept = pl.load(tmp_path / "run.safetensors")
    assert isinstance(kept, pl.Run) and kept.history == done.history and len(done.history) == 2


def test_a_torn_checkpoint_that_a_scanner_has_open_is_passed_over(tmp_path: Path) -> None:
    adapt(tmp_path, epochs=2)
    newest = checkpoints(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    with mapped(newest), pytest.warns(UserWarning, match="trying the one before it"):
        assert len(adapt(tmp_path, epochs=2, resume=True, save_minutes=0.0).history) == 2


@pytest.mark.parametrize("name", ["running.txt", "bad_batch.txt"])
def test_a_note_that_is_open_elsewhere_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")

    def nothing(step: Step) -> torch.Tensor:
        return step.features.sum() * torch.nan

    with open(tmp_path / name), pytest.raises(pl.InputError, match="found NaN or infinity in the loss of batch 1"):
        adapt(tmp_path, epochs=1, loss=nothing)
