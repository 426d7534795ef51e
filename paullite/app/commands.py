"""The commands. Each is a function: its arguments are the options, its docstring is the help."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..config import AdaptConfig, Preset, PretrainConfig, RunConfig
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
Device = Annotated[str, arg(help="Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1 or mps.")]
Workers = Annotated[int, arg(help="Processes that read images; 0: none beside this one.")]
Folder = Annotated[Positional[str], arg(metavar="FOLDER", help="Folder with pictures of people, one person in each.")]
Lists = Literal["train", "all"]
Resume = Annotated[bool, arg(help="Go on from the last checkpoint in --output; from the start if there is none.")]
Force = Annotated[bool, arg(help="With --resume: go on whatever differs. Without: replace the run in --output.")]
Output = Annotated[str, arg(help="PNG file to write.")]


def demo(output: str = "demo", seed: int = 0, pretrained: bool = False) -> None:
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


def data_check(kind: Kind, root: Root = "", /, full: bool = True) -> None:
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
    device: Device = "auto",
    batch: int = 128,
    workers: Workers = 2,
    people: People = None,
    control: Literal["none", "batch-norm", "batch-norm-by-camera", "camera-mean"] = "none",
    skip_unreadable: Skip = False,
    seed: int = 0,
) -> None:
    """Rank the gallery for every query and print the scores.

    Args:
        batch: Images at a time.
        control: What the unlabelled training images give without training: batch-norm, statistics re-estimated;
            batch-norm-by-camera, for each camera; camera-mean, each camera's mean feature subtracted.
        seed: Of the batches of the controls with batch-norm.
    """
    from .. import controls
    from ..config import RunConfig
    from ..evaluation import evaluate as score
    from ..runs.machine import chosen_device

    at_least_one(batch=batch)
    dataset = load_data(kind, root, people, skip_unreadable)
    place = chosen_device(RunConfig(device=device).device)
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
    folder: Folder,
    /,
    net: Net = None,
    top: int = 12,
    threshold: float | None = None,
    device: Device = "auto",
    workers: Workers = 0,
    output: str = "search",
    skip_unreadable: Skip = False,
) -> None:
    """Find the people in a folder who look most like the one in a picture.

    Args:
        top: How many to show.
        threshold: Least cosine similarity, in -1..1, of a picture that is shown; none: whoever is nearest.
        output: Folder for matches.png and matches.csv.
    """
    from .search import pictures_below
    from .search import search as run_search

    if Path(image).is_dir():
        raise InputError(f"found the folder {image}", "expected a picture first, then the folder", "see --help")
    people, network = pictures_below(folder, skip_unreadable, without=image), load_net(net, device)
    found = run_search(image, people, network, top=top, threshold=threshold, workers=workers, output=output)
    for place, (path, score) in enumerate(found, start=1):
        print(f"{place:3}  {score:6.3f}  {printable(path)}")
    if not found:
        print(f"nobody (no picture reaches the cosine {threshold:g})")
    print(f"picture and table: {printable(Path(output).resolve())}")


def group(
    folder: Folder,
    /,
    net: Net = None,
    distance: float = 0.3,
    least: int = 2,
    device: Device = "auto",
    workers: Workers = 0,
    output: str = "groups",
    skip_unreadable: Skip = False,
) -> None:
    """Sort the pictures in a folder into people, without labels. Needs scikit-learn.

    Args:
        distance: Mean cosine distance, in 0..2, from which on two groups are two people. Less makes more groups.
        least: Fewest pictures of a group; others are alone.
        output: Folder for groups.png and groups.csv (path, group; 1 is the largest group, -1 is alone).
    """
    from .groups import group as run_group
    from .search import pictures_below

    people, network = pictures_below(folder, skip_unreadable), load_net(net, device)
    groups = run_group(people, network, distance=distance, least=least, workers=workers, output=output)
    *sizes, alone = map(len, groups.values())
    print(f"{len(sizes)} groups" + (f" of {min(sizes)} to {max(sizes)} pictures" if sizes else "") + f", {alone} alone")
    print(f"picture and table: {printable(Path(output).resolve())}")


def export(
    file: Annotated[Positional[str], arg(metavar="FILE", help="ONNX file to write, as in: net.onnx.")],
    /,
    net: Net = None,
) -> None:
    """Write a network as ONNX: images in, retrieval features out, any number of images at a time."""
    from ..models.export import export_onnx

    export_onnx(load_net(net), file)
    print(f"written: {printable(file)}")


DATA: dict[str, Callable[..., Any]] = {"check": data_check}


def load_data(
    kind: str, root: str, people: int | None = None, skip: bool = False, lists: Lists = "train"
) -> ReIDDataset:
    """Read a data set by kind, whole or its first few people."""
    from ..data.readers import load_dataset

    return load_dataset(kind, root, lists=lists, skip_unreadable=skip, people=people)


def load_net(path: str | None, device: str = "cpu") -> Any:
    """The network of a file, or the one for drawn people that comes along, on a device."""
    from ..networks import network_of, shipped_net
    from ..runs.machine import chosen_device

    return (network_of(path) if path else shipped_net()).to(chosen_device(RunConfig(device=device).device))


def printable(path: str | Path) -> str:
    """A file name as the terminal can show it: letters that it lacks, or that are no UTF-8, as backslash codes."""
    encoding = sys.stdout.encoding or "utf-8"
    return str(path).encode(encoding, "backslashreplace").decode(encoding)


def _report(run: Any, then: str) -> None:
    if os.environ.get("RANK", "0") != "0":  # one of several processes speaks
        return
    last = {k: v for k, v in run.history[-1].items() if k in ("rank1", "map_step", "loss")} if run.history else {}
    print("  ".join(f"{name} {value:.4f}" for name, value in last.items()))
    if run.folder:
        print(f"written: {run.folder}; next: {then}")
