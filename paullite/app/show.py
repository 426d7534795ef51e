"""The commands that draw a picture: ``paullite show patches``, ``ranking``, ``embedding``, ``curves``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from tyro.conf import Positional, arg

from ..errors import at_least_one
from .commands import Device, Kind, Net, Output, Root, Workers, load_data, load_net


def show_patches(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    images: int = 6,
    device: Device = "auto",
    output: Output = "patches.png",
) -> None:
    """Draw where a network's patches lie on images of a data set.

    Args:
        images: How many.
    """
    from .pictures import draw_patches

    at_least_one(images=images)
    dataset = load_data(kind, root)
    print(draw_patches({"patches": load_net(net, device)}, dataset.query or dataset.train, output, images=images))


def show_ranking(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    before: Net = None,
    queries: int = 4,
    top: int = 8,
    device: Device = "auto",
    workers: Workers = 0,
    output: Output = "ranking.png",
) -> None:
    """Draw the ranked lists of a few queries, right and wrong marked.

    Args:
        before: File of another network, to compare with.
        queries: How many queries.
        top: Places of each list.
    """
    from .pictures import draw_rankings

    at_least_one(queries=queries, top=top)
    files = {"before": before, "after": net} if before else {"ranking": net}
    nets = {name: load_net(file, device) for name, file in files.items()}
    print(draw_rankings(nets, load_data(kind, root), output, queries=queries, top=top, workers=workers))


def show_embedding(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    people: int = 8,
    device: Device = "auto",
    workers: Workers = 0,
    output: Output = "embedding.png",
) -> None:
    """Draw the features of a few people on two axes.

    Args:
        people: How many people.
    """
    from .pictures import draw_embedding

    at_least_one(people=people)
    dataset = load_data(kind, root)
    asked = set(dataset.query.pids or ())  # distractors, whom no query looks for, are many people with one number
    known = dataset.gallery.take(i for i, pid in enumerate(dataset.gallery.pids or ()) if pid in asked)
    print(draw_embedding(load_net(net, device), known or dataset.train, output, people=people, workers=workers))


def show_curves(
    run: Annotated[Positional[str], arg(metavar="RUN", help="Folder of a run, or its history.csv.")],
    /,
    output: Output = "curves.png",
) -> None:
    """Draw the losses and scores of a run."""
    from ..files import read_history
    from .pictures import draw_curves

    print(draw_curves(read_history(run), output))


SHOW: dict[str, Callable[..., Any]] = {
    "patches": show_patches,
    "ranking": show_ranking,
    "embedding": show_embedding,
    "curves": show_curves,
}
