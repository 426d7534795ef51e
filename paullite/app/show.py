"""The commands that draw a picture: ``paullite show patches``, ``ranking``, ``embedding``, ``curves``."""

from typing import Annotated

from tyro.conf import Positional, arg

from ..data.readers import load_dataset
from ..errors import at_least_one
from .commands import SETUP, Kind, Net, Output, Root, Setup, load_net
from .parsing import Command


def show_patches(
    kind: Kind, root: Root = "", /, images: int = 6, output: Output = "patches.png", setup: Setup = SETUP
) -> None:
    """Draw where a network's patches lie on images of a data set.

    Args:
        images: How many.
    """
    from .pictures import draw_patches

    at_least_one(images=images)
    dataset = load_dataset(kind, root, skip_unreadable=setup.skip_unreadable)
    nets = {"patches": load_net(setup.net, setup.device)}
    print(draw_patches(nets, dataset.query or dataset.train, output, images=images))


def show_ranking(
    kind: Kind,
    root: Root = "",
    /,
    before: Net = None,
    queries: int = 4,
    top: int = 8,
    output: Output = "ranking.png",
    setup: Setup = SETUP,
) -> None:
    """Draw the ranked lists of a few queries, right and wrong marked.

    Args:
        before: File of another network, to compare with.
        queries: How many queries.
        top: Places of each list.
    """
    from .pictures import draw_rankings

    at_least_one(queries=queries, top=top)
    files = {"before": before, "after": setup.net} if before else {"ranking": setup.net}
    nets = {name: load_net(file, setup.device) for name, file in files.items()}
    dataset = load_dataset(kind, root, skip_unreadable=setup.skip_unreadable)
    print(draw_rankings(nets, dataset, output, queries=queries, top=top, workers=setup.workers))


def show_embedding(
    kind: Kind, root: Root = "", /, people: int = 8, output: Output = "embedding.png", setup: Setup = SETUP
) -> None:
    """Draw the features of a few people on two axes.

    Args:
        people: How many people.
    """
    from .pictures import draw_embedding

    at_least_one(people=people)
    dataset = load_dataset(kind, root, skip_unreadable=setup.skip_unreadable)
    asked = set(dataset.query.pids or ())  # distractors, whom no query looks for, are many people with one number
    known = dataset.gallery.take(i for i, pid in enumerate(dataset.gallery.pids or ()) if pid in asked) or dataset.train
    print(draw_embedding(load_net(setup.net, setup.device), known, output, people=people, workers=setup.workers))


def show_curves(
    run: Annotated[Positional[str], arg(metavar="RUN", help="Folder of a run, or its history.csv.")],
    /,
    output: Output = "curves.png",
) -> None:
    """Draw the losses and scores of a run."""
    from ..files import read_history
    from .pictures import draw_curves

    print(draw_curves(read_history(run), output))


SHOW: dict[str, Command] = {f.__name__[5:]: f for f in (show_patches, show_ranking, show_embedding, show_curves)}
