"""Training runs in processes of their own, to be killed, to be short of disk, or to work together."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import paullite as pl
from paullite import adaptation
from paullite.data import loading
from paullite.runs import checkpoint
from paullite.runs.session import Session

# a server that has imported everything and computed nothing: its children start at once, and are free to be killed
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.runs"])

QUICK: dict[str, Any] = dict(epochs=2, batch=8, k=3, workers=0, progress=False, evaluate_every=1, dry_step=False)


@dataclass(frozen=True)
class Fault:
    """What happens to a run.

    Attributes:
        where: "learn" (killed between the memory's update and the weights'), "save" (killed with half a checkpoint
            written), "evaluation" (killed inside one), "worker" (a process that reads images is killed), "nan" (the
            surrogates of a batch are not finite), "nan, ctrl-c" (the same, and the user stops the run in that step),
            "full" (the disk is), "ctrl-c" (the user stops the run), or "" (nothing).
        count: how many times that place is passed before.
    """

    where: str = ""
    count: int = 0


def dolls() -> pl.data.PaperDolls:
    """The target of all these runs."""
    return pl.data.PaperDolls("target", identities=5, test_identities=4, distractors=2, junk=3)


def start_net() -> pl.PatchNet:
    """A small network that draws random numbers at every step: each image skips a fifth of the blocks."""
    torch.manual_seed(0)
    return small_net(backbone_options={"drop_path_rate": 0.2})


def adapt_config(**changes: Any) -> pl.AdaptConfig:
    """Settings of these runs."""
    return replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, **changes})


def adapt(fault: Fault, report: str, resume: bool, changes: dict[str, Any]) -> None:
    """The work of a child: adapt, with a fault; what stopped it is written to ``report``."""
    torch.set_num_threads(1)
    multiprocessing.set_start_method("fork", force=True)  # for its workers: what a run in a shell does on Linux
    happen(fault)
    try:
        pl.adapt(adapt_config(**changes), dolls(), start=start_net(), resume=resume)
    except (pl.InputError, KeyboardInterrupt) as error:
        Path(report).write_text(str(error), encoding="utf-8")


def happen(fault: Fault) -> None:
    """Put the fault in its place."""
    passed = 0

    def before(function: Callable[..., Any], do: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **kwargs: Any) -> Any:
            nonlocal passed
            passed += 1
            changed = do(*args) if passed == fault.count + 1 else None
            return function(*args, **kwargs) if changed is None else changed

        return patched

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def kill_workers(*_: Any) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    def half_a_file(tensors: Any, path: Path, *_: Any) -> None:
        whole = path.with_name("whole")
        original_save(tensors, whole)
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        die()

    def fill_the_disk(*_: Any) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def stop(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def not_finite(pixels: torch.Tensor, *_: Any) -> torch.Tensor:
        if "ctrl-c" in fault.where:
            stop()
        return torch.full((len(pixels), 3, 128, 64), torch.nan)

    original_save = checkpoint.save_file
    places = {
        "learn": (Session, "learn", die),
        "save": (checkpoint, "save_file", half_a_file),
        "evaluation": (adaptation, "history_scores", die),
        "worker": (Session, "learn", kill_workers),
        "nan": (loading, "surrogates", not_finite),
        "nan, ctrl-c": (loading, "surrogates", not_finite),
        "full": (checkpoint, "save_file", fill_the_disk),
        "ctrl-c": (Session, "learn", stop),
    }
    if fault.where:
        owner, name, do = places[fault.where]
        setattr(owner, name, before(getattr(owner, name), do))


def run(
    folder: Path, fault: Fault | None = None, *, resume: bool = False, patience: float = 300, **changes: Any
) -> tuple[int | None, str]:
    """Adapt in a process of its own, killed when ``patience`` (seconds) is over: its exit code, and what stopped it."""
    report = folder.with_name(folder.name + ".report")
    report.unlink(missing_ok=True)
    settings = {"output": str(folder), **changes}
    child = SERVER.Process(target=adapt, args=(fault or Fault(), str(report), resume, settings))
    child.start()
    child.join(patience)
    child.kill()
    child.join()
    return child.exitcode, report.read_text(encoding="utf-8") if report.is_file() else ""


def result(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    """All tensors that a finished run left, and its history without the seconds."""
    found = pl.load(folder / "run.safetensors")
    assert isinstance(found, pl.Run)
    tensors = {f"net.{key}": value for key, value in found.net.state_dict().items()}
    for name, memory in found.memories.items():
        tensors |= {f"{name}.{key}": value for key, value in memory.state_dict().items()}
    return tensors, [{k: v for k, v in row.items() if k != "seconds"} for row in found.history]


def same_result(a: Path, b: Path) -> bool:
    """Whether two runs left the same bits."""
    (first, rows), (second, others) = result(a), result(b)
    return rows == others and first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def together(work: Callable[..., None], ranks: int, *args: Any) -> list[int | None]:
    """Run a function in several processes that find each other, as under a launcher. Returns their exit codes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    children = [SERVER.Process(target=_as_rank, args=(rank, ranks, port, work, args)) for rank in range(ranks)]
    for child in children:
        child.start()
    for child in children:
        child.join(300)
    return [child.exitcode for child in children]


def _as_rank(rank: int, ranks: int, port: int, work: Callable[..., None], args: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()}, MASTER_ADDR="127.0.0.1", OMP_NUM_THREADS="1")
    work(rank, *args)


def first_steps(rank: int, folder: str, steps: int, changes: dict[str, Any]) -> None:
    """Adapt, and keep loss and gradients of the first steps, and the history, in files."""
    kept: list[dict[str, torch.Tensor]] = []
    original = Session.learn

    def learn(self: Session, index: torch.Tensor, loss: torch.Tensor, **watched: torch.Tensor) -> None:
        original(self, index, loss, **watched)
        if self.optimiser and len(kept) < steps:
            grads = [p.grad for group in self.optimiser.param_groups for p in group["params"]]
            flat = torch.cat([g.reshape(-1) for g in grads if g is not None])
            kept.append({"loss": loss.detach().clone(), "gradient": flat})

    Session.learn = learn  # type: ignore[method-assign]
    done = pl.adapt(adapt_config(**changes), dolls(), start=start_net_without_chance())
    tensors = {f"{i}.{name}": value for i, step in enumerate(kept) for name, value in step.items()}
    tensors |= {f"end.{name}": m.features for name, m in done.memories.items()}
    tensors |= {f"end.net.{name}": value for name, value in done.net.state_dict().items()}
    torch.save(tensors, Path(folder) / f"{rank}.pt")
    (Path(folder) / f"{rank}.json").write_text(json.dumps(done.history), encoding="utf-8")


def as_a_team(rank: int, folder: str, resume: bool, killed_at: int, changes: dict[str, Any]) -> None:
    """Adapt; rank 1 is killed in the middle of a step, unless ``killed_at`` is below 0."""
    fault = Fault("learn", killed_at) if rank == 1 and killed_at >= 0 else Fault()
    adapt(fault, f"{folder}.report", resume, {"output": folder, **changes})


def start_net_without_chance() -> pl.PatchNet:
    """A small network that is the same function in every process."""
    torch.manual_seed(0)
    return small_net()


def small_net(**more: Any) -> pl.PatchNet:
    """The network of all these runs."""
    return pl.PatchNet(
        "test_resnet", patches=4, feature_dim=16, embedding_dim=8, pretrained=False, size=(128, 64), **more
    )
