"""The commands. Each is a function: its arguments are the options, its docstring is the help."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from ..config import AdaptConfig, Preset, PretrainConfig, RunConfig
from ..data.layouts import quoted
from ..data.readers import KINDS, Lists, load_dataset
from ..errors import InputError, at_least_one

RANK = os.environ.get("RANK", "0")  # which of the processes that torchrun started
Kind = Annotated[Positional[str], arg(metavar="KIND", help=f"What the data are: {', '.join(KINDS)}.")]
Root = Annotated[Positional[str], arg(metavar="ROOT", help="Folder of the data, or CSV file; none for drawn people.")]
Folder = Annotated[Positional[str], arg(metavar="FOLDER", help="Folder with pictures of people, one person in each.")]
Net = Annotated[str | None, arg(help="File of a network or run; none: the one for drawn people that comes along.")]
Device = Annotated[str, arg(help="Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1 or mps.")]
Output = Annotated[str, arg(help="PNG file to write.")]
People = Annotated[int | None, arg(help="Use the first so many people only, for a quick trial; scores then mean less.")]
Skip = Annotated[bool, arg(help="Leave out images that cannot be read, instead of stopping at the first.")]


@dataclass(frozen=True)
class Setup:
    """The network, where it computes, and how images are read."""

    net: Net = None
    device: Device = "auto"
    workers: Annotated[int, arg(help="Processes that read images, where there are many; 0: this one alone.")] = 0
    skip_unreadable: Skip = False


SETUP = Setup()


@dataclass(frozen=True)
class Extra:
    """Which images a phase takes, and what it does with an earlier run."""

    preset: Annotated[str, arg(help="Where the defaults of the settings come from; none: the one for KIND.")] = ""
    people: People = None
    skip_unreadable: Skip = False
    resume: Annotated[bool, arg(help="Go on from the last checkpoint in --output, if there is one.")] = False
    force: Annotated[bool, arg(help="With --resume: go on whatever differs. Without: replace an earlier run.")] = False


def demo(output: str = "demo", seed: int = 0, pretrained: bool = False) -> None:
    """The whole method on drawn people, in about five minutes on a laptop. No download.

    Args:
        output: Folder for report.json and the pictures.
        seed: Draws the people and starts the networks.
        pretrained: Skip phase 1 and take the source network that comes along.
    """
    from . import demo

    report = demo.demo(output, seed=seed, pretrained=pretrained)
    print(demo.table(report))
    print(f"\n{report['seconds']['total']:.0f} s. Report and pictures: {Path(output).resolve()}")


def doctor() -> None:
    """See whether this machine has what paullite needs: versions, devices, memory, cache, a training step."""
    from .doctor import examine

    lines = examine()
    for fine, what, found in lines:
        print(f"{'ok' if fine else 'NO':<4}{what:<14}{found}")
    if not all(fine for fine, _, _ in lines):
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
        kind: Kind, root: Root = "", /, lists: Lists = "all", extra: Extra = Extra(), config: PretrainConfig = defaults
    ) -> None:
        """Phase 1: learn patches and features from a labelled source.

        Args:
            lists: MSMT17 only: "all" four lists as the paper does, or "train" alone.
        """
        from ..pretraining import pretrain as run_phase

        source = load_dataset(kind, root, lists=lists, skip_unreadable=extra.skip_unreadable, people=extra.people)
        run = run_phase(config, source, resume=extra.resume, force=extra.force)
        report(run, f"paullite adapt KIND ROOT --start {quoted(f'{config.output}/run.safetensors')}")

    return pretrain


def make_adapt(preset: Preset) -> Callable[..., None]:
    """The adapt command with a preset's values as defaults."""
    defaults = replace(preset.adapt, output="runs/adapt")

    def adapt(
        kind: Kind, root: Root = "", /, start: Net = None, extra: Extra = Extra(), config: AdaptConfig = defaults
    ) -> None:
        """Phase 2: learn from the target's images alone. Its labels serve the judge only."""
        from ..adaptation import adapt as run_phase

        target = load_dataset(kind, root, skip_unreadable=extra.skip_unreadable, people=extra.people)
        if start is None and not kind.startswith("paperdolls"):
            do = "use --start FILE; the one that comes along knows drawn people only"
            raise InputError("found no --start", "expected the network of phase 1, from: paullite pretrain", do)
        run = run_phase(config, target, start=load_net(start), resume=extra.resume, force=extra.force)
        scored = "rank1" in (run.history or [{}])[-1] or (config.evaluate_every == 0 and len(target.query))
        then = f"evaluate {kind} {quoted(root) if root else ''}" if scored else "search IMAGE FOLDER"
        report(run, f"paullite {then.rstrip()} --net {quoted(f'{config.output}/run.safetensors')}")

    return adapt


def evaluate(
    kind: Kind,
    root: Root = "",
    /,
    batch: int = 128,
    people: People = None,
    control: Literal["none", "batch-norm", "batch-norm-by-camera", "camera-mean"] = "none",
    seed: int = 0,
    false_accept: float | None = None,
    setup: Setup = Setup(workers=2),
) -> None:
    """Rank the gallery for every query and print the scores.

    Args:
        batch: Images at a time.
        control: What the unlabelled training images give without training: batch-norm, statistics re-estimated;
            batch-norm-by-camera, for each camera; camera-mean, each camera's mean feature subtracted.
        seed: Of the batches of the controls with batch-norm.
        false_accept: Also give the threshold for paullite search: at most this share, in 0..1, of the pairs of two
            people lies above it. A search among G pictures is G pairs.
    """
    from .. import controls
    from ..evaluation import ranking_inputs, score_ranking, threshold

    at_least_one(batch=batch)
    if false_accept is not None and control != "none":
        raise InputError("found --control", "expected none with --false-accept, as search uses none", "leave one out")
    dataset = load_dataset(kind, root, skip_unreadable=setup.skip_unreadable, people=people)
    net = load_net(setup.net, setup.device)
    make = getattr(controls, control.replace("-", "_"), None)
    options = {"workers": setup.workers} if control == "camera-mean" else {"seed": seed}
    correction = make(net, dataset, **options) if make else None
    inputs = ranking_inputs(net, dataset, correction, batch=batch, workers=setup.workers)
    print(score_ranking(*inputs))
    if false_accept is not None:
        print(threshold(*inputs, false_accept=false_accept))


def search(
    image: Annotated[Positional[str], arg(metavar="IMAGE", help="Picture of one person.")],
    folder: Folder,
    /,
    top: int = 12,
    threshold: float | None = None,
    output: str = "search",
    setup: Setup = SETUP,
) -> None:
    """Find the people in a folder who look most like the one in a picture.

    Args:
        top: How many to show.
        threshold: Cosine similarity, in -1..1, above which a picture is shown; none: whoever is nearest.
        output: Folder for matches.png, matches.csv and index.safetensors, which keeps the features of FOLDER: next
            time, only pictures that are new or changed are looked at.
    """
    from . import search

    if Path(image).is_dir():
        raise InputError(f"found the folder {image}", "expected a picture first, then the folder", "see --help")
    people, net = search.pictures_below(folder, setup.skip_unreadable, without=image), load_net(setup.net, setup.device)
    found = search.search(image, people, net, top=top, threshold=threshold, workers=setup.workers, output=output)
    for place, (path, score) in enumerate(found, start=1):
        print(f"{place:3}  {score:6.3f}  {path}")
    if not found:
        print(f"nobody (no picture has a cosine above {threshold:g})")
    if threshold is None:
        print("Places are not identities: without --threshold the first may be a stranger; to find one that fits NET:")
        print("paullite evaluate KIND ROOT --net NET --false-accept 0.001")
    print(f"picture and table: {Path(output).resolve()}")


def group(
    folder: Folder, /, distance: float = 0.3, least: int = 2, output: str = "groups", setup: Setup = SETUP
) -> None:
    """Sort the pictures in a folder into people, without labels. Needs scikit-learn.

    Args:
        distance: Cosine distance, in 0..2, from which on two pictures are no neighbours. Less makes more groups.
        least: Fewest pictures of a group; others are alone.
        output: Folder for groups.png, groups.csv (path, group; 1 is the largest group, -1 is alone) and
            index.safetensors, which keeps the features for the next time.
    """
    from . import search

    people, net = search.pictures_below(folder, setup.skip_unreadable), load_net(setup.net, setup.device)
    groups = search.group(people, net, distance=distance, least=least, workers=setup.workers, output=output)
    *sizes, alone = map(len, groups.values())
    print(f"{len(sizes)} groups" + (f" of {min(sizes)} to {max(sizes)} pictures" if sizes else "") + f", {alone} alone")
    print(f"picture and table: {Path(output).resolve()}")


def export(
    file: Annotated[Positional[str], arg(metavar="FILE", help="ONNX file to write: net.onnx.")], /, net: Net = None
) -> None:
    """Write a network as ONNX: images in, retrieval features out, any number of images at a time."""
    from ..networks import export_onnx

    export_onnx(load_net(net), file)
    print(f"written: {file}")


def load_net(path: str | None, device: str = "cpu") -> Any:
    """The network of a file, or the one for drawn people that comes along, on a device."""
    from ..networks import network_of, shipped_net
    from ..runs.machine import chosen_device

    return (network_of(path) if path else shipped_net()).to(chosen_device(RunConfig(device=device).device))


def report(run: Any, then: str) -> None:
    """Say how a run ended and draw its curves; one of several processes does."""
    from .pictures import draw_curves

    if RANK != "0":
        return
    last = run.history[-1] if run.history else {}
    print("  ".join(f"{name} {last[name]:.4f}" for name in ("loss", "rank1", "map_step") if name in last))
    if run.folder:
        draw_curves(run.history, run.folder / "curves.png")
        print(f"written: {run.folder}; next: {then}")
