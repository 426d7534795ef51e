"""Several processes and one device that normalises in groups take the same steps."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import paullite as pl
from paullite.runs.checkpoint import checkpoints, read_checkpoint
from paullite.runs.distributed import Team, statistics_of
from tests.runs import QUICK, as_a_team, first_steps, same_result, together

pytestmark = pytest.mark.slow

STEPS = 4


def taken(folder: Path, ranks: int, **changes: Any) -> list[dict[str, torch.Tensor]]:
    """Loss and gradients of the first steps, and what was learned in the end, as each process saw them."""
    folder.mkdir()
    assert together(first_steps, ranks, str(folder), STEPS, changes) == [0] * ranks
    return [torch.load(folder / f"{rank}.pt") for rank in range(ranks)]


def apart(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], *names: str) -> float:
    """The largest difference of the named tensors, as a share of the largest value of each."""
    chosen = [key for key in a if key.endswith(names)]
    assert chosen and a.keys() == b.keys()
    return max(float((a[k] - b[k]).abs().max() / a[k].abs().max().clamp(min=1e-6)) for k in chosen)


def places(step: int) -> tuple[str, str]:
    return f"{step}.loss", f"{step}.gradient"


# batches of 7: the shares are 4 and 3, and the last batch of an epoch is short
SETTINGS = {"batch": 7, "epochs": 2, "lr": 0.01}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, torch.Tensor]]:
    return taken(tmp_path_factory.mktemp("two") / "run", 2, **SETTINGS)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    return taken(tmp_path_factory.mktemp("one") / "run", 1, bn_splits=2, **SETTINGS)[0]


def test_loss_and_gradient_are_those_of_one_process(one: Any, two: Any) -> None:
    for step in range(STEPS):
        assert apart(two[0], one, *places(step)) < 1e-5, step
    assert apart(two[0], one, "features", "weight", "running_var", "num_batches_tracked") < 1e-5


def test_all_ranks_have_the_same_weights_and_memories(two: Any) -> None:
    assert all(torch.equal(two[0][key], two[1][key]) for key in two[0])


def test_one_process_without_groups_differs(two: Any, tmp_path: Path) -> None:
    """So the groups are what makes the test above pass."""
    plain = taken(tmp_path / "plain", 1, **SETTINGS)[0]
    assert apart(two[0], plain, *places(0)) > 1e-3


def test_statistics_after_the_first_batch_are_those_of_one_process(tmp_path: Path) -> None:
    both = [
        taken(tmp_path / f"{ranks}", ranks, batch=20, epochs=1, memory_mode="eval", bn_splits=3 - ranks)[0]
        for ranks in (1, 2)
    ]
    assert apart(*both, "running_mean", "running_var") < 1e-4


def test_blocks_of_memory_change_rounding_alone(one: Any, tmp_path: Path) -> None:
    blocks = taken(tmp_path / "blocks", 1, bn_splits=2, memory_block=5, **SETTINGS)[0]
    assert apart(blocks, one, *places(0)) < 1e-5


def test_a_rank_without_an_image(tmp_path: Path) -> None:
    """With three ranks and a last batch of one image, two ranks have none: nobody waits for ever, nothing repeats."""
    count = len(pl.data.PaperDolls("target", identities=5, test_identities=4, distractors=2, junk=3).train)
    batch = next(b for b in range(6, 12) if count % b == 1)
    three = taken(tmp_path / "three", 3, batch=batch, epochs=1)
    one = taken(tmp_path / "one", 1, batch=batch, epochs=1, bn_splits=3)
    assert apart(three[0], one[0], *places(0)) < 1e-5
    history = [json.loads((tmp_path / "three" / f"{rank}.json").read_text()) for rank in range(3)]
    assert len({rows[0]["loss"] for rows in history}) == 1


def test_two_processes_that_were_killed_go_on(tmp_path: Path) -> None:
    """One of them dies in the middle of a step; the other one notices, and says how to go on."""
    alone, killed, changes = tmp_path / "alone", tmp_path / "killed", {"save_minutes": 1e-6}
    assert together(as_a_team, 2, str(alone), False, -1, changes) == [0, 0]
    assert together(as_a_team, 2, str(killed), False, 3, changes) == [0, -9]
    said = (tmp_path / "killed.report").read_text(encoding="utf-8")
    assert said.startswith("another process of this run ended; saved in ") and said.endswith("(resume=True)")
    assert together(as_a_team, 2, str(killed), True, -1, changes) == [0, 0]
    assert same_result(alone, killed)


def test_the_command_line_in_two_processes(tmp_path: Path) -> None:
    """Through the real launchers, by the command line; the two phases follow each other."""
    pytest.importorskip("accelerate")
    people = ["--people", "5", "--epochs", "1", "--batch", "9", "--no-progress", "--evaluate-every", "0"]
    two = launched("torchrun", ["pretrain", "paperdolls-source", *people, "--output", str(tmp_path / "two")])
    one = [sys.executable, "-m", "paullite", "pretrain", "paperdolls-source", *people]
    one += ["--output", str(tmp_path / "one"), "--bn-splits", "2"]
    assert two.count("written:") == 1
    subprocess.run(one, check=True, capture_output=True, env=plain_environment())
    nets = [pl.load(tmp_path / name / "run.safetensors").history[0] for name in ("one", "two")]
    assert nets[0]["loss"] == pytest.approx(nets[1]["loss"], rel=1e-4)
    adapted = ["adapt", "paperdolls-target", *people, "--k", "3", "--start", str(tmp_path / "two" / "run.safetensors")]
    said = launched("accelerate", [*adapted, "--output", str(tmp_path / "adapt")])
    assert said.count("written:") == 1 and (tmp_path / "adapt" / "run.safetensors").is_file()
    for folder in ("two", "adapt"):
        _, facts = read_checkpoint(checkpoints(tmp_path / folder)[-1])
        assert facts["identity"]["machine"]["processes"] == 2
    run = pl.load(tmp_path / "adapt" / "run.safetensors")
    assert isinstance(run, pl.Run) and run.memories["patches"].filled.all()


def plain_environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not re.match("RANK|WORLD_SIZE|LOCAL_|MASTER_", k)}
    return kept | {"OMP_NUM_THREADS": "1"}


def launched(launcher: str, command: list[str]) -> str:
    """Run a command of the library in two processes on the CPU."""
    how = {
        "torchrun": ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        # --multi_gpu is what makes it start several, also where there is no GPU
        "accelerate": ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"],
    }
    done = subprocess.run(
        [sys.executable, *how[launcher], "-m", "paullite", *command],
        capture_output=True,
        text=True,
        timeout=300,
        env=plain_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_shares_are_the_batch_without_repeats() -> None:
    for total in range(1, 12):
        for size in range(1, 5):
            shares = [Team(rank, size).share(range(total)) for rank in range(size)]
            assert [i for share in shares for i in share] == list(range(total))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_groups_start_alike_and_end_in_their_mean(net: pl.PatchNet) -> None:
    """Weighted by the number of images: here 3 and 2."""
    images, team = torch.randn(5, 3, 128, 64), Team(splits=2)
    before = [s.clone() for s in statistics_of(net.train())]
    apart, features = [], []
    for group in (images[:3], images[3:]):
        features.append(net(group).features)
        apart.append([s.clone() for s in statistics_of(net)])
        for s, b in zip(statistics_of(net), before, strict=True):
            s.copy_(b)
    (found,) = team.look(lambda own: (net(own).features,), net, (images,), 5)
    assert torch.allclose(found, torch.cat(features), atol=1e-6)
    for s, first, second in zip(statistics_of(net), *apart, strict=True):
        assert torch.allclose(s.float(), (3 * first + 2 * second) / 5, atol=1e-6)


def test_without_training_the_images_are_one_group(net: pl.PatchNet) -> None:
    calls, before = [], [s.clone() for s in statistics_of(net.eval())]

    def look(own: torch.Tensor) -> tuple[torch.Tensor]:
        calls.append(len(own))
        return (net(own).features,)

    Team(splits=2).look(look, net, (torch.randn(5, 3, 128, 64),), 5)
    assert calls == [5] and all(torch.equal(a, b) for a, b in zip(before, statistics_of(net), strict=True))


def test_too_many_groups_are_refused(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, "bn_splits": 9})
    with pytest.raises(pl.InputError, match=r"for 9 groups of batch-norm .*; use --bn-splits 8 or fewer"):
        pl.adapt(config, dolls, start=net)
