"""The commands. Each is a function: its arguments are the options, its docstring is the help."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..config import AdaptConfig, Preset, PretrainConfig
from ..data.items import ReIDDataset
from ..errors import InputError, at_least_one

KINDS = "market1501, msmt17, duke, folder, csv, paperdolls-source or paperdolls-target"
Kind = Annotated[Positional[str], arg(metavar="KIND", help=f"What the data are: {KINDS}.")]
Root = Annotated[
    Positional[str], arg(metavar="ROOT", help="Folder of the data, or the CSV file; none for drawn people.")
]
Net = Annotated[str | None, arg(help="File of a network or run; none: the one for drawn people that comes along.")]
Skip = Annotated[bool, arg(help="Leave out images that cannot be read, instead of stopping at the first.")]
People = Annotated[int | None, arg(help="Use the first so many people only, for a quick trial; scores then mean less.")]
Lists = Literal["train", "all"]
Resume = Annotated[bool, arg(help="Go on from the last checkpoint in --output; from the start if there is none.")]
Force = Annotated[bool, arg(help="With --resume: go on whatever differs. Without: replace the run in --output.")]
Output = Annotated[str, arg(help="Folder or file to write.")]


def demo(output: Output = "demo", seed: int = 0, pretrained: bool = False) -> None:
    """The whole method on drawn people, in about five minutes on a laptop. No download.

    Args:
        output: Folder for report.json and the pictures.
        seed: Draws the people and starts the networks.
        pretrained: Skip phase 1 and take the source network that comes along.
    """
    from .demo import demo as run_demo
    from .demo import table

    report = run_demo(output, seed=seed, pretrained=pretrained)
    print(table(report))
    print(f"\n{report['seconds']['total']:.0f} s. Report and pictures: {Path(output).resolve()}")


def doctor() -> None:
    """See whether this machine has what paullite needs: versions, devices, memory, cache, a training step."""
    from .doctor import examine

    report = examine()
    print(report)
    if not report.ok:
        raise InputError("some lines above say NO", "expected none", "do what they say")


def data_check(kind: Kind, root: Root = "", full: bool = True) -> None:
    """Compare a folder with what is expected there, count it, and find unreadable images.

    Args:
        full: Open every image; with --no-full only names and sizes are looked at.
    """
    from .check import check_dataset

    report = check_dataset(kind, root, full=full)
    print(report)
    if not report.ok:
        raise InputError("the data cannot be used as they are", "see above", "mend the folder and check again")


def make_pretrain(preset: Preset) -> Callable[..., None]:
    """The pretrain command with a preset's values as defaults."""
    defaults = replace(preset.pretrain, output="runs/pretrain")

    def pretrain(
        kind: Kind,
        root: Root = "",
        /,
        config: OmitArgPrefixes[PretrainConfig] = defaults,
        *,
        preset: str = "",
        lists: Lists = "all",
        people: People = None,
        skip_unreadable: Skip = False,
        resume: Resume = False,
        force: Force = False,
    ) -> None:
        """Phase 1: learn patches and features from a labelled source.

        Args:
            preset: Where the defaults below come from; none: the one for KIND.
            lists: MSMT17 only: "all" four lists as the paper does, or "train" alone.
        """
        from ..pretraining import pretrain as run_phase

        source = load_data(kind, root, people, skip_unreadable, lists)
        run = run_phase(config, source, resume=resume, force=force)
        _report(run, f"paullite adapt KIND ROOT --start {config.output}/run.safetensors")

    return pretrain


def make_adapt(preset: Preset) -> Callable[..., None]:
    """The adapt command with a preset's values as defaults."""
    defaults = replace(preset.adapt, output="runs/adapt")

    def adapt(
        kind: Kind,
        root: Root = "",
        /,
        config: OmitArgPrefixes[AdaptConfig] = defaults,
        *,
        start: Net = None,
        preset: str = "",
        people: People = None,
        skip_unreadable: Skip = False,
        resume: Resume = False,
        force: Force = False,
    ) -> None:
        """Phase 2: learn from the target's images alone. Its labels serve the judge only.

        Args:
            preset: Where the defaults below come from; none: the one for KIND.
        """
        from ..adaptation import adapt as run_phase

        target = load_data(kind, root, people, skip_unreadable)
        if start is None and not kind.startswith("paperdolls"):
            raise InputError(
                "found no --start",
                "expected the network of phase 1, from: paullite pretrain",
                "use --start FILE; the one that comes along knows drawn people only",
            )
        run = run_phase(config, target, start=load_net(start), resume=resume, force=force)
        _report(run, f"paullite evaluate {f'{kind} {root}'.strip()} --net {config.output}/run.safetensors")

    return adapt


def evaluate(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    batch: int = 128,
    workers: int = 2,
    people: People = None,
    control: Literal["none", "batch-norm", "batch-norm-by-camera", "camera-mean"] = "none",
    skip_unreadable: Skip = False,
    seed: int = 0,
) -> None:
    """Rank the gallery for every query and print the scores.

    Args:
        device: Where to compute: auto, cpu, cuda or mps.
        batch: Images at a time.
        workers: Processes that read images.
        control: What the unlabelled training images give without training: batch-norm, statistics re-estimated;
            batch-norm-by-camera, for each camera; camera-mean, each camera's mean feature subtracted.
        seed: Of the batches of the controls with batch-norm.
    """
    from .. import controls
    from ..config import RunConfig
    from ..evaluation import evaluate as score
    from ..runs import start_accelerator

    at_least_one(batch=batch)
    dataset = load_data(kind, root, people, skip_unreadable)
    place = start_accelerator(RunConfig(device=device)).device
    network = load_net(net).to(place)
    choices: dict[str, Callable[[], Any]] = {
        "none": lambda: None,
        "batch-norm": lambda: controls.batch_norm(network, dataset, seed=seed),
        "batch-norm-by-camera": lambda: controls.batch_norm_by_camera(network, dataset, seed=seed),
        "camera-mean": lambda: controls.camera_mean(network, dataset, workers=workers),
    }
    print(score(network, dataset, control=choices[control](), batch=batch, workers=workers))


def search(
    image: Annotated[Positional[str], arg(metavar="IMAGE", help="Picture of one person.")],
    folder: Annotated[Positional[str], arg(metavar="FOLDER", help="Folder with pictures of people, one in each.")],
    /,
    net: Net = None,
    top: int = 12,
    output: Output = "search",
    skip_unreadable: Skip = False,
) -> None:
    """Find the people in a folder who look most like the one in a picture.

    Args:
        top: How many to show.
        output: Folder for matches.png and matches.csv.
    """
    from .search import search as run_search

    at_least_one(top=top)
    for place, (path, score) in enumerate(
        run_search(image, folder, load_net(net), top=top, output=output, skip_unreadable=skip_unreadable), start=1
    ):
        print(f"{place:3}  {score:6.3f}  {path}")
    print(f"picture and table: {Path(output).resolve()}")


DATA: dict[str, Callable[..., Any]] = {"check": data_check}


def load_data(
    kind: str, root: str, people: int | None = None, skip: bool = False, lists: Lists = "train"
) -> ReIDDataset:
    """Read a data set by kind, whole or its first few people."""
    from ..data.readers import load_dataset

    return load_dataset(kind, root, lists=lists, skip_unreadable=skip, people=people)


def load_net(path: str | None) -> Any:
    """The network of a file, or the one for drawn people that comes along."""
    from ..networks import network_of, shipped_net

    return network_of(path) if path else shipped_net()


def _report(run: Any, then: str) -> None:
    if os.environ.get("RANK", "0") != "0":  # one of several processes speaks
        return
    last = {k: v for k, v in run.history[-1].items() if k in ("rank1", "map_step", "loss")} if run.history else {}
    print("  ".join(f"{name} {value:.4f}" for name, value in last.items()))
    if run.folder:
        print(f"written: {run.folder}; next: {then}")
