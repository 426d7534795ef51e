"""In a folder of one's own: what is looked at, what is kept of it, and whether groups are people."""

import os
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import paullite as pl
from paullite.app import search as index
from paullite.app.cli import main
from paullite.app.search import clusters, group, indexed_features, pictures_below
from paullite.errors import InputError
from tests.test_evaluation import unit


@pytest.fixture
def folder(dolls: pl.data.PaperDolls, tmp_path: Path) -> Path:
    """Six pictures, one of them in a folder of its own."""
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for i, item in enumerate(dolls.query[:6]):
        item.image.save(tmp_path / "pictures" / ("more" if i == 5 else "") / f"{i}.png")
    return tmp_path / "pictures"


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that a network looks at for an index."""
    seen: list[str] = []
    extract = index.extract

    def noted(net: pl.PatchNet, split: pl.data.Split, **options: int) -> torch.Tensor:
        seen.extend(Path(path).name for path in split.paths)
        return extract(net, split, **options)

    monkeypatch.setattr(index, "extract", noted)
    return seen


def test_only_what_is_new_or_changed_is_looked_at(
    folder: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls, tmp_path: Path, looked_at: list[str]
) -> None:
    def look() -> tuple[torch.Tensor, list[str]]:
        looked_at.clear()
        return indexed_features(net, pictures_below(folder), tmp_path), list(looked_at)

    first, seen = look()
    assert seen == [f"{i}.png" for i in range(6)] and first.shape == (6, 64)
    assert first.norm(dim=1).numpy() == pytest.approx(np.ones(6), abs=1e-3)
    again, seen = look()
    assert not seen and torch.equal(first, again)
    dolls.gallery[0].image.save(folder / "1.png")  # another picture of the same name
    os.utime(folder / "2.png", (0, 0))
    (folder / "3.png").unlink()
    dolls.gallery[1].image.save(folder / "9.png")
    now, seen = look()
    assert seen == ["1.png", "2.png", "9.png"]
    assert torch.equal(now[[0, 3, 5]], first[[0, 4, 5]]) and not torch.equal(now[1], first[1])
    kept = load_file(tmp_path / index.INDEX)
    assert {Path(name.strip("'")).name for name in kept} == {f"{i}.png" for i in (0, 1, 2, 4, 5, 9)}
    (folder / "4.png").unlink()
    assert len(look()[0]) == len(load_file(tmp_path / index.INDEX)) == 5


@pytest.mark.parametrize("harm", ["cut", "empty", "other", "network"])
def test_an_index_that_does_not_serve_is_made_anew(
    folder: Path, net: pl.PatchNet, tmp_path: Path, looked_at: list[str], harm: str
) -> None:
    first = indexed_features(net, pictures_below(folder), tmp_path)
    file = tmp_path / index.INDEX
    whole = file.read_bytes()
    if harm == "network":
        with torch.no_grad():
            net.reduction.weight[0] += 1
    elif harm == "other":
        pl.save(net, file)
    else:
        file.write_bytes(whole[: len(whole) // 2] if harm == "cut" else b"")
    looked_at.clear()
    again = indexed_features(net, pictures_below(folder), tmp_path)
    assert len(looked_at) == 6 and torch.equal(first, again) == (harm != "network")
    assert (file.read_bytes() == whole) == (harm != "network")


def test_search_twice(folder: Path, tmp_path: Path, looked_at: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    args = ["search", str(folder / "0.png"), str(folder), "--output", str(tmp_path / "out")]
    assert main(args) == 0
    first, seen = capsys.readouterr().out, list(looked_at)
    assert seen == [f"{i}.png" for i in range(1, 6)] and "Places are not identities" in first
    assert main(args) == 0
    assert capsys.readouterr().out == first and looked_at == seen
    assert main([*args, "--threshold", "0.999"]) == 0
    assert capsys.readouterr().out.startswith("nobody (no picture has a cosine above 0.999)\npicture")


def test_search_passes_over_what_is_no_picture_of_a_person(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Mac puts into a zip file, dead links, hidden folders, and the results of earlier searches."""
    for name in ("._0.png", "__MACOSX/._0.png", "__MACOSX/0.png", ".thumbnails/0.png", "more/.x.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\0\5\x16\7")
    if sys.platform != "win32":
        (folder / "dead.png").symlink_to(folder / "gone.png")
    (folder / "more" / "matches.png").write_bytes((folder / "1.png").read_bytes())  # a person, without our table beside
    monkeypatch.chdir(folder)
    people = [*(f"{i}.png" for i in range(5)), str(Path("more", "5.png")), str(Path("more", "matches.png"))]
    for output in ("results", "."):
        assert main(["search", "0.png", ".", "--output", output]) == 0
        assert main(["group", ".", "--output", output]) == 0
        assert (folder / output / "matches.png").exists() and (folder / output / "groups.png").exists()
        assert list(pictures_below(".").paths) == people
        assert list(pictures_below(".", without=folder / "more" / ".." / "0.png").paths) == people[1:]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("source", 0.45), ("adapted", 0.52)])
def test_groups_are_people(name: Literal["source", "adapted"], least: float) -> None:
    """Drawn people that nothing was tuned on: F of pairs in one group against pairs of one person (0.50 and 0.56)."""
    dolls = pl.data.PaperDolls("target", identities=2, test_identities=40, distractors=0, junk=0, seed=11)
    features, pids = unit(pl.shipped_net(name), dolls.gallery), np.array(dolls.gallery.pids)
    numbers = np.array(clusters(torch.tensor(features), distance=0.3))
    together = (numbers[:, None] == numbers) & (numbers >= 0) & ~np.eye(len(numbers), dtype=bool)
    same = (pids[:, None] == pids) & ~np.eye(len(pids), dtype=bool)
    f = 2 * (together & same).sum() / (together.sum() + same.sum())
    assert f > least, f


def test_too_many_pictures_to_group_are_one_line(
    folder: Path, net: pl.PatchNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paullite.app.search.MOST", 5)
    with pytest.raises(InputError, match="found 6 pictures; expected 2 to 5; group folder by folder"):
        group(pictures_below(folder), net, output=tmp_path)
