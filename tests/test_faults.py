"""What goes wrong in the middle of a run: it says so in one line, and nothing that was learned is lost."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from paullite.runs.lock import FolderLock

import paullite as pl
from paullite.data.loading import EpochBatches
from paullite.files import writable_folder
from paullite.runs import lock, state
from paullite.runs.session import Session
from tests.runs import Fault, adapt_config, run, same_result, start_net

pytestmark = pytest.mark.usefixtures("one_thread")
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
    code, said = run(folder, Fault("worker", 1), workers=1)
    assert code == 0 and "\n" not in said
    assert said.startswith("a process that reads images died (DataLoader worker (pid")
    assert "use fewer --workers, or --workers 0; saved in" in said and said.endswith(
        "go on with --resume (resume=True)"
    )
    assert goes_on(folder, alone)


def test_the_disk_is_full_in_the_middle_of_a_save(tmp_path: Path, alone: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    pytest.importorskip("resource")
    folder = tmp_path / "run"
    code, said = run(folder, Fault("full", 1), **EVERY_STEP)
    assert code == 0 and "\n" not in said
    assert "cannot write" in said and "File too large" in said and "free some room or choose another --output" in said
    assert [state.read_state(path) is not None for path in state.state_files(folder)] == [True]
    assert not list(folder.glob("*.part"))
    assert goes_on(folder, alone)


def test_a_batch_that_is_no_number(tmp_path: Path, alone: Path) -> None:
    folder = tmp_path / "run"
    code, said = run(folder, Fault("nan", 12), **EVERY_STEP)
    assert code == 0 and "\n" not in said
    assert "found NaN or infinity in the features of batch 2 of epoch 1, with paperdolls" in said
    listed = (folder / "bad_batch.txt").read_text(encoding="utf-8").split()
    assert len(listed) == 8 and f"and 5 more (all of them: {folder / 'bad_batch.txt'})" in said
    assert all(listed[i] in said for i in range(3))
    assert [path.name for path in state.state_files(folder)] == ["checkpoint-000000001.safetensors"]
    assert goes_on(folder, alone)


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
    expected = pl.adapt(adapt_config(), images, start=start)
    last = EpochBatches(len(images), adapt_config().batch, seed=0).places(0)[-1][0]
    path = Path(images.paths[last])
    pixels, learn = path.read_bytes(), Session.learn

    def learn_and_delete(session: Session, loss: torch.Tensor) -> None:
        path.unlink(missing_ok=True)
        learn(session, loss)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "learn", learn_and_delete)
        said = rf"cannot read the image .*{path.name}.*; saved in .* up to step \d+; go on with --resume"
        with pytest.raises(pl.InputError, match=said):
            pl.adapt(adapt_config(output=str(folder)), images, start=start)
    path.write_bytes(pixels)
    again = pl.adapt(adapt_config(output=str(folder)), images, start=start, resume=True)
    assert [row["loss"] for row in again.history] == [row["loss"] for row in expected.history]
    assert all(
        torch.equal(a, b)
        for a, b in zip(expected.net.state_dict().values(), again.net.state_dict().values(), strict=True)
    )


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
    with FolderLock(tmp_path):
        for resume in (False, True):
            with pytest.raises(pl.InputError, match=rf"found another run at work in .*\(process {os.getpid()} on this"):
                pl.adapt(adapt_config(output=str(tmp_path)), dolls, start=start_net(), resume=resume)
        assert (tmp_path / lock.NAME).is_file()
    assert not (tmp_path / lock.NAME).exists()
    pl.adapt(adapt_config(output=str(tmp_path), epochs=1), dolls, start=start_net())
    assert not (tmp_path / lock.NAME).exists()


def test_the_lock_of_a_run_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    code = "import os, pathlib, sys; from paullite.runs.lock import FolderLock; "
    code += "FolderLock(pathlib.Path(sys.argv[1])).__enter__(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / lock.NAME).is_file()
    with FolderLock(tmp_path):
        assert json.loads((tmp_path / lock.NAME).read_text())["process"] == os.getpid()


def test_the_lock_of_another_machine_holds_while_it_gives_signs(tmp_path: Path) -> None:
    path = tmp_path / lock.NAME
    path.write_text(json.dumps({"process": 1, "machine": f"not {platform.node()}", "born": 0}))
    with pytest.raises(pl.InputError, match="on the machine not "), FolderLock(tmp_path):
        pass
    silent = time.time() - lock.SILENT - 1
    os.utime(path, (silent, silent))
    with FolderLock(tmp_path):
        assert path.stat().st_mtime > silent + 10
    path.write_text("half of")  # cut short
    with FolderLock(tmp_path):
        pass


def test_a_run_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "SIGN", 0.01)
    with FolderLock(tmp_path) as held:
        os.utime(held.path, (1, 1))
        deadline = time.monotonic() + 5
        while held.path.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert held.path.stat().st_mtime > 2
