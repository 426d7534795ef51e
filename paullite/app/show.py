"""The commands that draw a picture: ``paullite show patches``, ``ranking``, ``embedding``, ``curves``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from tyro.conf import Positional, arg

from ..errors import at_least_one
from .commands import Kind, Net, Output, Root, load_data, load_net


def show_patches(
    kind: Kind, root: Root = "", /, net: Net = None, images: int = 6, output: Output = "patches.png"
) -> None:
    """Draw where a network's patches lie on images of a data set.

    Args:
        images: How many.
    """
    from .pictures import draw_patches

    at_least_one(images=images)
    dataset = load_data(kind, root)
    print(draw_patches({"patches": load_net(net)}, dataset.query or dataset.train, output, images=images))


def show_ranking(
    kind: Kind,
    root: Root = "",
    /,
    net: Net = None,
    before: Net = None,
    queries: int = 4,
    top: int = 8,
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
    nets = ({"before": load_net(before)} if before else {}) | {"after" if before else "ranking": load_net(net)}
    print(draw_rankings(nets, load_data(kind, root), output, queries=queries, top=top))


def show_embedding(
    kind: Kind, root: Root = "", /, net: Net = None, people: int = 8, output: Output = "embedding.png"
) -> None:
    """Draw the features of a few people on two axes.

    Args:
        people: How many people.
    """
    from .pictures import draw_embedding

    at_least_one(people=people)
    dataset = load_data(kind, root)
    print(draw_embedding(load_net(net), dataset.gallery or dataset.train, output, people=people))


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
