"""What chapter 6 says about memories, refreshed features and batches is measured as it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import paullite as pl
from tests.benchmarks import remembering
from tests.benchmarks.remembering import ARMS, CONFIG, Entries, computed_now, same_person, table, train
from tests.chapters import CHAPTERS, read

SMALL = {"identities": 4, "test_identities": 2}
SHORT = replace(CONFIG, epochs=1, batch=8, k=3)


@pytest.mark.slow
@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_runs_and_only_one_watches(arm: str) -> None:
    found = train(arm, 0, SHORT, SMALL)
    assert 0 < found["map"] <= 100
    assert len(found["rows"]) == (6 if arm == "memory" else 0)


def test_entries_of_an_arm_reach_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[pl.step.Step] = []
    monkeypatch.setattr(remembering.losses, "paul", seen.append)
    target, net = pl.data.PaperDolls("target", **SMALL), pl.shipped_net("source")
    index, x = torch.tensor([3, 1, 4, 0]), torch.rand(4, net.patches, net.feature_dim)
    memory = torch.zeros(len(target.train), net.patches, net.feature_dim)
    step = pl.step.Step(x, torch.rand(2, 4, 5), index, memory, torch.rand(4, 5), SHORT, 0)
    for arm in ARMS:
        Entries(arm, net, target.train, SHORT).loss(step)
    by_arm = dict(zip(ARMS, seen, strict=True))
    assert by_arm["memory"].memory is memory and by_arm["newest"].memory is memory
    assert torch.equal(by_arm["refresh"].memory, computed_now(net, target.train, SHORT.batch, 0))
    assert torch.equal(by_arm["batch"].memory, x) and by_arm["batch"].index.tolist() == [0, 1, 2, 3]
    assert (by_arm["batch"].config.k, by_arm["nearest"].config.k) == (2, 1)


def test_neighbours_of_the_own_passage_do_not_count() -> None:
    images = pl.data.PaperDolls("target", **SMALL).train
    pids, cameras = torch.tensor(images.pids), torch.tensor(images.camids)
    by_person = torch.nn.functional.one_hot(pids - pids.min()).float()[:, None]
    assert same_person(by_person, by_person, images, k=1) == 1
    by_passage = torch.unique(4 * pids + cameras, return_inverse=True)[1]
    assert same_person(*[torch.nn.functional.one_hot(by_passage).float()[:, None]] * 2, images, k=1) < 1


def test_table_is_made_of_the_files_and_stands_in_the_chapter(tmp_path: Path) -> None:
    committed = Path(remembering.__file__).with_suffix(".md").read_text(encoding="utf-8")
    row = {"rank1": 60.0, "map": 50.0}
    found = {"control": row, **dict.fromkeys(ARMS, row), "memory": {**row, "rows": {"now": [0.2, 0.3]}}}
    (tmp_path / "7.json").write_text(json.dumps(found))
    text = table([remembering.measured(7, tmp_path)])
    assert "| memory, momentum 0.1 | 60.0 | 50.0 |  |" in text and "| now | 0.20 (0.20 to 0.20) | 30.0" in text
    assert all(f"| {title} |" in committed for title in ARMS.values())
    chapter = "\n".join(cell.source for cell in read(CHAPTERS[5]).cells)
    scores = [line for line in committed.splitlines() if line.startswith("|")][: 2 + len(ARMS) + 1]
    assert all(line in chapter for line in scores), "the chapter shows the first table"
