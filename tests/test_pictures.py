"""Pictures are drawn from what they are given; the file is looked at by its pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

import paullite as pl
from paullite.app import pictures
from paullite.app.search import group, search
from paullite.errors import InputError
from paullite.evaluation import ranked_lists
from paullite.modes import mode


def share_of(path: Path, colour: str) -> float:
    """Share of the pixels that have a colour, nearly."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    wanted = np.array([round(255 * c) for c in to_rgb(colour)])
    return float((np.abs(pixels - wanted).sum(-1) < 30).mean())


def test_curves_show_what_there_is(tmp_path: Path) -> None:
    rows = [{"epoch": e, "pedal": 1 / e, "ipfl": 0.5, "rank1": 0.1 * e} for e in range(1, 5)]
    path = pictures.draw_curves(rows, tmp_path / "curves.png", controls={"direct": 0.2})
    assert all(share_of(path, colour) > 1e-4 for colour in pictures.COLOURS[:2])
    bare = pictures.draw_curves([{"epoch": 1.0}], tmp_path / "bare.png")
    assert share_of(bare, pictures.COLOURS[0]) == 0


def test_patches_have_an_outline_each(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    path = pictures.draw_patches({"stripes": net}, dolls.query, tmp_path / "patches.png", images=2)
    assert all(share_of(path, colour) > 1e-3 for colour in pictures.COLOURS[:4])


@pytest.mark.slow
def test_rankings_mark_right_and_wrong(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    lists = ranked_lists(net, dolls, top=4)
    right = [mark for ranked in lists for _, mark in ranked]
    assert any(right) and not all(right)
    path = pictures.draw_rankings({"a": net, "b": net}, dolls, tmp_path / "r.png", queries=len(dolls.query), top=4)
    assert share_of(path, pictures.RIGHT) > 1e-3 and share_of(path, pictures.WRONG) > 1e-3


def test_ranked_lists_agree_with_the_judge(net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    lists = ranked_lists(net, dolls, top=5)
    scores = pl.evaluate(net, dolls)
    assert np.mean([ranked[0][1] for ranked in lists]) == pytest.approx(scores.rank1)
    assert np.mean([any(m for _, m in ranked) for ranked in lists]) == pytest.approx(scores.rank5)
    shown = [dolls.gallery[place].pid for ranked in lists for place, _ in ranked]
    assert -1 not in shown


def test_embedding_needs_labels(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    with pytest.raises(InputError, match="without identities"):
        pictures.draw_embedding(net, dolls.unlabelled(), tmp_path / "e.png")
    path = pictures.draw_embedding(net, dolls.train, tmp_path / "e.png", people=3)
    assert all(share_of(path, colour) > 1e-4 for colour in pictures.COLOURS[:3])


def test_person_0_is_a_person_and_junk_is_not(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    pids = (0,) * 4 + (-1,) * 4
    split = pl.data.Split(dolls.train.paths[:8], pids, None, dolls.train.opener)
    path = pictures.draw_embedding(net, split, tmp_path / "e.png")
    assert share_of(path, pictures.COLOURS[0]) > 1e-4 and share_of(path, pictures.COLOURS[1]) == 0


@pytest.mark.parametrize("pids", [(-1, -1, -1), (5, -1, -1)])
def test_too_few_people_for_an_embedding_are_one_line(
    tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls, pids: tuple[int, ...]
) -> None:
    split = pl.data.Split(dolls.train.paths[:3], pids, None, dolls.train.opener)
    with pytest.raises(
        InputError, match=rf"found {sum(pid > 0 for pid in pids)} images of people; expected two or more"
    ):
        pictures.draw_embedding(net, split, tmp_path / "e.png")
    pair = pl.data.Split(dolls.train.paths[:2], (0, 0), None, dolls.train.opener)
    assert pictures.draw_embedding(net, pair, tmp_path / "e.png").is_file()


def test_a_montage_has_a_row_for_each_group(tmp_path: Path, dolls: pl.data.PaperDolls) -> None:
    rows = {
        "group 1: 3": dolls.train.take(range(3)),
        "2 more groups": dolls.train.take([]),
        "alone: 1": dolls.train[:1],
    }
    pixels = np.asarray(Image.open(pictures.draw_groups(rows, tmp_path / "g.png", columns=2)))
    cells = [[pixels[4 + 132 * y : 132 * y + 132, 110 + 68 * x : 174 + 68 * x] for x in range(2)] for y in range(3)]
    assert pixels.shape[:2] == (4 + 3 * 132, 110 + 2 * 68)
    assert [[bool((cell < 255).any()) for cell in row] for row in cells] == [
        [True, True],
        [False, False],
        [True, False],
    ]
    assert np.array_equal(cells[0][0], np.asarray(dolls.train[0].image))


def test_drawing_leaves_the_mode_of_the_network(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    net.train()
    pictures.draw_patches({"n": net}, dolls.query, tmp_path / "p.png", images=1)
    assert net.training and torch.equal(net.norm.running_mean, torch.zeros_like(net.norm.running_mean))


def test_looking_leaves_the_mode_of_every_module(tmp_path: Path, net: pl.PatchNet, dolls: pl.data.PaperDolls) -> None:
    """Also of a batch-norm that its owner has frozen, and after an error."""
    net.train()
    net.norm.eval()
    modes = [module.training for module in net.modules()]
    dolls.query[0].image.save(tmp_path / "0.png")
    search(tmp_path / "0.png", dolls.gallery, net, output=tmp_path / "found")
    group(dolls.query, net, output=tmp_path / "groups")
    pictures.draw_patches({"n": net}, dolls.query, tmp_path / "p.png", images=1)
    pictures.draw_embedding(net, dolls.train, tmp_path / "e.png")
    with pytest.raises(ZeroDivisionError), mode(net, False):
        assert not any(module.training for module in net.modules())
        raise ZeroDivisionError
    assert [module.training for module in net.modules()] == modes and True in modes and False in modes
