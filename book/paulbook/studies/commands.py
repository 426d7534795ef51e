"""The commands of the studies: ``paulbook experiment`` and ``paulbook compare``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from paullite.errors import InputError

Name = Annotated[
    Positional[str], arg(metavar="NAME", help='A study, "all" of them, "failures", "market1501", or "list".')
]
Side = Annotated[Positional[str], arg(help="Receipt: a file, or the name of one that comes along; :ARM names an arm.")]


def experiment(
    name: Name,
    /,
    output: str = "runs/experiments",
    seeds: tuple[int, ...] = (),
    jobs: int = 0,
    root: str = "",
    weights: str = "",
    source: str = "",
    people: int = 0,
    gpu: bool = False,
) -> None:
    """Run a study on drawn people over several seeds; what was run before is not run again.

    "failures" looks again at the networks of PAUL, group by group. "market1501" runs on real people, with --root and
    --weights.

    Args:
        output: Folder of trials, networks and receipts. A stopped study goes on there; delete it to start anew.
        seeds: Instead of the study's own.
        jobs: Trials at a time, each with one thread; 0: one for each core. Changes no result.
        root: market1501 only: the folder of the data set.
        weights: market1501 only: file with timm's ImageNet weights of mobilenetv2_100.
        source: market1501 only: CSV file of a small labelled set of real people; none: drawn people only.
        people: market1501 only: adapt to the first so many people of the training set; 0: to all.
        gpu: market1501 only: 256x128 pixels and the whole schedule, for a GPU.
    """
    from .groups import run_failures
    from .runner import run_study
    from .studies import STUDIES
    from .tables import listing, table

    if name != "market1501" and (root or weights or source or people or gpu):
        raise InputError(f"found options of market1501 for {name}", "expected none of them", "leave them out")
    if name == "list":
        print(listing())
    elif name == "failures":
        print(f"written: {run_failures(output, seeds=seeds, jobs=jobs)}")
    elif name == "market1501":
        print(f"written: {_market(root, weights, source, people, gpu, output)}")
    else:
        for study in STUDIES if name == "all" else [name]:
            path = run_study(study, output, seeds=seeds, jobs=jobs)
            print(f"\n{table(path)}\n\nwritten: {path}")


def _market(root: str, weights: str, source: str, people: int, gpu: bool, output: str) -> Path:
    from paullite.data.readers import load_dataset

    from .real import CPU, GPU, Real, run_real

    if not root or not weights:
        missing = "--root FOLDER" if not root else "--weights FILE"
        raise InputError(f"found no {missing}", "expected --root and --weights for real people", f"add {missing}")
    real = Real(load_dataset("market1501", root), weights, source, GPU if gpu else CPU, people)
    told = {"root": "ROOT", "weights": Path(weights).name, "source": Path(source).name, "people": people}
    options = "".join(f" --{name} {shlex.quote(str(value))}" for name, value in told.items() if value)
    return run_real(real, output, command=f"paulbook experiment market1501{options}{' --gpu' if gpu else ''}")


def compare(a: Side, b: Side, /) -> None:
    """Say how two receipts differ, and whether the difference in rank-1 and mAP is more than chance."""
    from .compare import compare as compare_receipts

    print(compare_receipts(a, b))
