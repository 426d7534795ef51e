"""What real folders, tables and shells hold that no list of faults had: each gives its right value, or one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import paullite as pl
from paullite.app.check import check_dataset
from paullite.app.cli import main
from paullite.app.doctor import examine
from paullite.app.search import clusters, pictures_below
from paullite.data import layouts
from paullite.errors import InputError


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 16), "red").save(path)
    return path


@pytest.mark.parametrize("copies", [6, 9, 30])
def test_more_copies_of_a_picture_than_it_has_neighbours_are_one_group(copies: int) -> None:
    features = torch.eye(3)[[0] * copies + [1, 2]]
    assert clusters(features, distance=0.5) == [1] * copies + [-1, -1]


def test_search_follows_a_link_to_a_folder_and_each_folder_once(tmp_path: Path) -> None:
    image(tmp_path / "elsewhere" / "a.png")
    image(tmp_path / "pictures" / "b.png")
    for name, goal in (("c", tmp_path / "elsewhere"), ("d", tmp_path / "elsewhere"), ("loop", tmp_path / "pictures")):
        os.symlink(goal, tmp_path / "pictures" / name)
    found = pictures_below(tmp_path / "pictures").paths
    assert [os.path.basename(path) for path in found] == ["b.png", "a.png"]


def refuse(folder: str) -> None:
    raise PermissionError(13, "Permission denied", str(folder))


def test_a_folder_that_may_not_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts.os, "scandir", refuse)
    with pytest.raises(InputError, match="cannot read the folder .*Permission denied"):
        layouts.visible(tmp_path)


def test_the_count_below_a_folder_passes_over_what_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.png", "a/__MACOSX/1.png", "a/.hidden/1.png", "a/._1.png", "a/b/2.JPG", "a/notes.txt"):
        path = image(tmp_path / "x.png").rename(tmp_path / "x")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / name)
    assert layouts.images_below(tmp_path) == 2
    monkeypatch.setattr(layouts.os, "scandir", refuse)
    assert layouts.images_below(tmp_path) == 0


def test_a_table_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,pid,camid,split,pid\na.png,1,0,train,2\n")
    with pytest.raises(InputError, match="line 1 has pid twice"):
        pl.data.from_csv(tmp_path / "t.csv")


def test_the_check_does_not_advise_to_skip_every_image(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,pid,camid,split\na.jpeg,1,0,train\nb.jpeg,2,0,train\n")
    for full in (True, False):
        report = check_dataset("csv", tmp_path / "t.csv", full=full)
        assert not report.ok and "found none of the files" in str(report) and "skip" not in str(report)


def test_doctor_keeps_pictures_where_data_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAULLITE_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fine, _, found = next(line for line in examine() if line[1] == "cache")
    assert fine and found.startswith(str(tmp_path / "paullite-"))


def test_what_python_is_given_by_mistake_is_one_line(dolls: pl.data.PaperDolls, tmp_path: Path) -> None:
    net = pl.shipped_net()
    with pytest.raises(InputError, match="found a ndarray; expected one PIL image or path"):
        net.feature(np.zeros((16, 8, 3), np.uint8))  # type: ignore[arg-type]
    for name, number in (("batch", 0), ("workers", -1)):
        with pytest.raises(InputError, match=f"found {name} = {number}"):
            pl.evaluate(net, dolls, **{name: number})
    with pytest.raises(InputError, match="found features of 2 numbers for the query and 3 for the gallery"):
        pl.evaluation.score_ranking(torch.ones(1, 2), torch.ones(1, 3), [1], [1])
    with pytest.raises(InputError, match="found a Linear as start"):
        pl.networks.network_of(nn.Linear(2, 2))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="of a run, give .*run.safetensors"):
        pl.networks.network_of(tmp_path)


def test_home_in_paths_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    image(tmp_path / "a.png")
    net = pl.PatchNet("test_resnet", pretrained=False, size=(64, 32), patches=2, feature_dim=8)
    assert net.feature("~/a.png").shape == (16,)
    assert pl.export_onnx(net, "~/net.onnx") == tmp_path / "net.onnx" and (tmp_path / "net.onnx").is_file()


def test_a_training_without_scores_names_no_command_that_must_fail(
    dolls: pl.data.PaperDolls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, item in enumerate(dolls.train[:8]):
        item.image.save(image(tmp_path / "pictures" / f"{n}.png"))
    pl.save(pl.shipped_net(), tmp_path / "net.safetensors")
    options = ["--start", f"{tmp_path}/net.safetensors", "--output", f"{tmp_path}/run", "--epochs", "1", "--k", "2"]
    assert main(["adapt", "folder", f"{tmp_path}/pictures", *options, "--batch", "4", "--workers", "0"]) == 0
    assert f"next: paullite search IMAGE FOLDER --net {tmp_path}/run/run.safetensors" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    show = "import sys; from paullite.app.cli import guarded\ndef run(args):\n    while True: print('line')\n"
    command = [sys.executable, "-c", f"{show}sys.exit(guarded('paullite', run, []))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr and process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 141
