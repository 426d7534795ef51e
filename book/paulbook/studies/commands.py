"""The commands of the studies: ``paulbook experiment``, ``paulbook compare`` and ``paulbook evaluate``."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from paullite.app.commands import Device, Kind, Net, People, Root, Skip, load_net
from paullite.data.readers import load_dataset
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
    from .real import CPU, GPU, Real, run_real

    if not root or not weights:
        missing = "--root FOLDER" if not root else "--weights FILE"
        raise InputError(f"found no {missing}", "expected --root and --weights for real people", f"add {missing}")
    real = Real(load_dataset("market1501", root), weights, source, GPU if gpu else CPU, people)
    told = {"root": "ROOT", "weights": Path(weights).name, "source": Path(source).name, "people": people}
    options = "".join(f" --{name} {shlex.quote(str(value))}" for name, value in told.items() if value)
    return run_real(real, output, command=f"paulbook experiment market1501{options}{' --gpu' if gpu else ''}")


def compare(a: Side, b: Side, /) -> None:
    """Say how two receipts differ, and whether the difference in mAP and rank-1 is significant."""
    from .compare import compare as compare_receipts

    print(compare_receipts(a, b))


def evaluate(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    receipt: str = "",
    add: bool = False,
    seed: int | None = None,
    control: Literal["none", "batch-norm", "batch-norm-by-camera", "camera-mean"] = "none",
    device: Device = "auto",
    batch: int = 128,
    workers: int = 2,
    people: People = None,
    skip_unreadable: Skip = False,
) -> None:
    """Evaluate one network as `paullite evaluate` does, and write a receipt that `paulbook compare` reads.

    Args:
        receipt: File to write, ending in .json. Needed.
        add: Put this seed beside those that the file holds.
        seed: Of the trial; without it, the seed of the run in --net, else 0. A control that draws batches uses it, too.
        control: First apply a control, which uses neither labels nor training.
        batch: Images at a time.
        workers: Processes that read images.
    """
    from paullite import controls
    from paullite.evaluation import evaluate as score

    from .single import write_receipt

    if Path(receipt).suffix != ".json":
        found = f"found --receipt {receipt}" if receipt else "found no --receipt"
        raise InputError(found, "expected a name that ends in .json", "without a receipt: paullite evaluate")
    dataset = load_dataset(kind, root, people=people, skip_unreadable=skip_unreadable)
    network = load_net(net, device)
    name = "" if control == "none" else control.replace("-", "_")
    chosen = {"control": made(getattr(controls, name), network, dataset, seed or 0)} if name else {}
    scores = score(network, dataset, batch=batch, workers=workers, **chosen)
    path = write_receipt(receipt, scores, dataset, net=net, control=name, seed=seed, add=add)
    print(f"{scores}\nwritten: {path}")


def made(control: Any, network: Any, dataset: Any, seed: int) -> Any:
    """What a control makes of a network; those that draw batches take the seed, the others need none."""
    seeded = {"seed": seed} if "seed" in inspect.signature(control).parameters else {}
    return control(network, dataset, **seeded)
