"""Run a study: its trials in several processes, going on where an earlier call stopped, and then its receipt."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any

import torch

from paullite.errors import InputError, nearest_names
from paullite.files import Row, writable_folder
from paullite.runs.provenance import versions

from .receipts import Receipt, Trial, write
from .settings import Settings
from .studies import STUDIES, Study
from .trial import Outcome, key_of, run_trial, source_key, source_net

Say = Callable[[str], None]


def run_study(
    name: str,
    folder: str | Path = "runs/experiments",
    *,
    seeds: Sequence[int] | None = None,
    jobs: int = 0,
    say: Say = print,
) -> Path:
    """Run what is missing of a study, then write its receipt.

    Every trial computes with one thread, so the number of processes changes no bit of any result.

    Args:
        name: of a study in `STUDIES`.
        folder: where trials, networks and receipts are kept; a stopped study goes on there.
        seeds: instead of the study's own; the receipt then tells which.
        jobs: trials at a time; 0: one for each core.
        say: is given a line for each trial.

    Returns:
        The receipt's JSON file.

    Raises:
        InputError: no such study, or a folder that cannot be written.
    """
    study = find_study(name)
    seeds = tuple(seeds or study.seeds)
    outcomes = outcomes_of(study, Path(folder), seeds, jobs, say)
    return write(receipt_of(name, study, seeds, outcomes), folder, history_of(outcomes))


def outcomes_of(
    study: Study, folder: Path, seeds: Sequence[int], jobs: int, say: Say
) -> dict[tuple[str, int], Outcome]:
    """The outcome of every arm on every seed; what is missing is run first. Arguments as for `run_study`."""
    if jobs < 0 or min(seeds) < 0:
        raise InputError(f"found jobs = {jobs}, seeds {seeds}", "expected 0 or more", "jobs 0 is one for each core")
    folder = writable_folder(folder)
    arms = {arm: Settings().changed(found.changes) for arm, found in study.arms.items()}
    wanted = [(settings, seed) for seed in seeds for settings in arms.values()]
    compute(wanted, folder, jobs or os.cpu_count() or 1, say)
    return {(arm, seed): run_trial(settings, seed, folder) for arm, settings in arms.items() for seed in seeds}


def find_study(name: str) -> Study:
    """The study of a name, or an `InputError` that names the nearest."""
    if name not in STUDIES:
        raise InputError(
            f"found the study {name!r}",
            f"expected one of {', '.join(STUDIES)}, failures, market1501, all, list",
            f"nearest: {nearest_names(name, STUDIES)}",
        )
    return STUDIES[name]


def compute(wanted: Iterable[tuple[Settings, int]], folder: Path, jobs: int, say: Say) -> None:
    """Make the files of all trials: first the networks of phase 1, since several trials start from one."""
    trials = {key_of(s.facts(), seed): (s, seed) for s, seed in wanted}
    missing = [pair for key, pair in trials.items() if not (folder / "trials" / f"{key}.json").is_file()]
    nets = {source_key(s, seed): (s, seed) for s, seed in missing}
    starts = [pair for key, pair in nets.items() if not (folder / "nets" / f"{key}.safetensors").is_file()]
    say(f"trials: {len(trials)}, still to run: {len(missing)}, networks to pretrain first: {len(starts)}; jobs: {jobs}")
    with told(folder):
        for done, (settings, seed, seconds) in enumerate(in_processes(_make_net, starts, folder, jobs), start=1):
            say(f"pretrained {done} of {len(starts)}: seed {seed}, P = {settings.pretrain.patches}, {seconds:.0f} s")
        trained = [pair for pair in missing if pair[0].control == "none"]
        judged = [pair for pair in missing if pair[0].control != "none"]  # networks that are there by then
        made = chain.from_iterable(in_processes(_make_trial, tasks, folder, jobs) for tasks in (trained, judged))
        for done, (settings, seed, seconds) in enumerate(made, start=1):
            say(f"trial {done} of {len(missing)}: {settings.method}, seed {seed}, {seconds:.0f} s")


Task = tuple[Settings, int]


def in_processes(
    make: Callable[[Settings, int, Path], float], tasks: Sequence[Task], folder: Path, jobs: int
) -> Iterator[tuple[Settings, int, float]]:
    """Call a function for every task, some at a time, each in one thread; yields tasks and seconds as they end."""
    if not tasks:
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin) as pool:
        try:
            with deaf_to_interrupts():
                waiting = {pool.submit(make, *task, folder): task for task in tasks}
            for future in as_completed(waiting):
                yield (*waiting[future], future.result())
        except BaseException:  # a trial's file is whole or not there, so the others may end anywhere
            for child in active_children():
                child.terminate()
            pool.shutdown(cancel_futures=True)  # waits: a thread of the pool alive at exit leaves semaphores behind
            raise


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What became of a study that was stopped, or lost a process, in one line."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what was finished is in {folder}, the same command does the rest") from None
    except BrokenProcessPool:
        raise InputError(
            "a process of the study was ended from outside",
            "expected it to live, and a machine with little memory may have ended it",
            "type the same again, with --jobs 1; what was finished is kept",
        ) from None


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that start in here leave Ctrl-C to this one, which hears it a little later."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """In a process of the pool: one thread, and an end together with the process that started it."""
    torch.set_num_threads(1)
    threading.Thread(target=_leave_with_starter, daemon=True).start()


def _leave_with_starter() -> None:
    starter = parent_process()
    assert starter is not None
    starter.join()
    os._exit(1)


def _make_net(settings: Settings, seed: int, folder: Path) -> float:
    began = time.perf_counter()
    source_net(settings, seed, folder)
    return time.perf_counter() - began


def _make_trial(settings: Settings, seed: int, folder: Path) -> float:
    began = time.perf_counter()
    run_trial(settings, seed, folder)
    return time.perf_counter() - began


def receipt_of(name: str, study: Study, seeds: Sequence[int], outcomes: dict[tuple[str, int], Outcome]) -> Receipt:
    """The receipt of a study from the outcomes by arm and seed."""
    again = f" --seeds {' '.join(map(str, seeds))}" if tuple(seeds) != study.seeds else ""
    trials = [
        Trial(arm, seed, found["scores"], found["people"], found["seconds"], found["data"])
        for (arm, seed), found in outcomes.items()
    ]
    return Receipt(
        study=name,
        question=study.question,
        command=f"paulbook experiment {name}{again}",
        settings=Settings().facts(),
        arms={arm: {"title": found.title, "changes": dict(found.changes)} for arm, found in study.arms.items()},
        versions=versions(),
        machine={"device": "cpu", "threads": 1, "cores": os.cpu_count()},
        trials=trials,
    )


def history_of(outcomes: dict[tuple[str, int], Outcome]) -> list[dict[str, Any]]:
    """One row for each arm, seed and epoch."""
    rows: list[dict[str, Any]] = []
    for (arm, seed), found in outcomes.items():
        history: list[Row] = found["history"]
        rows += [{"arm": arm, "seed": seed, **row, "epoch": int(row["epoch"])} for row in history]
    return rows
