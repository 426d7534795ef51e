"""Is a drawn world like a real one? What is measured on both, and what was measured on real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from paullite.controls import camera_mean
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.evaluation import Scores, evaluate, score_ranking
from paullite.features import extract
from paullite.models.patchnet import PatchNet

STRIPES = 6
# Market-1501 (150 test people, 600 distractors) with OSNet x0.25, trained on the labels of MSMT17: shares of variance,
# then rank-1 and mAP in %.
REAL: Mapping[str, tuple[float, ...]] = {
    "features": (0.041,),
    "colours": (0.064,),
    "direct": (79.7, 55.0),
    "camera_mean": (84.0, 62.8),
    "six_colours": (13.9, 6.1),
    "six_colours_camera_mean": (14.6, 6.5),
}


def share_between(x: Tensor, groups: Sequence[int]) -> float:
    r"""The share of the variance of features (N, F) that lies between groups, such as the cameras.

    .. math:: \sum_g N_g \, |\bar x_g - \bar x|^2 \Big/ \sum_i |x_i - \bar x|^2

    >>> share_between(torch.tensor([[1.0], [1.0], [4.0]]), [10, 10, 11])
    1.0
    """
    x, of = x - x.mean(0), torch.tensor(groups)
    parts = [x[of == group] for group in of.unique()]
    return float(sum(len(part) * part.mean(0).square().sum() for part in parts) / x.square().sum())


def mean_colours(split: Split) -> Tensor:
    """The mean colours of six stripes, top to bottom: (N, 18).

    >>> from paullite.data import PaperDolls
    >>> mean_colours(PaperDolls("source", identities=2, test_identities=2).train[:3]).shape
    torch.Size([3, 18])
    """
    images = (np.array_split(np.asarray(item.image, np.float32), STRIPES) for item in split)
    return torch.tensor(np.stack([[stripe.mean((0, 1)) for stripe in image] for image in images])).flatten(1)


def camera_shares(net: PatchNet, world: PaperDolls) -> dict[str, float]:
    """The camera's share of the variance of the features and of the mean colours, over the training images."""
    found = {"features": extract(net, world.unlabelled()).flatten(1), "colours": mean_colours(world.train)}
    return {name: share_between(x, world.train.camids or ()) for name, x in found.items()}


def colours_ranked(world: PaperDolls, *, by_camera: bool) -> Scores:
    """Ranked by the mean colours alone, less their mean over all training images, or over those of the camera."""
    train, cameras = mean_colours(world.train), torch.tensor(world.train.camids)

    def centred(split: Split) -> Tensor:
        means = [train[cameras == camera].mean(0) if by_camera else train.mean(0) for camera in split.camids or ()]
        return mean_colours(split) - torch.stack(means)

    query, gallery = world.query, world.gallery
    columns = [column or () for column in (query.pids, gallery.pids, query.camids, gallery.camids)]
    return score_ranking(centred(query), centred(gallery), *columns)


def measure(net: PatchNet, world: PaperDolls) -> dict[str, tuple[float, ...]]:
    """The rows of `REAL` for a drawn world: shares of variance, then rank-1 and mAP in %."""
    scores = {
        "direct": evaluate(net, world),
        "camera_mean": evaluate(net, world, control=camera_mean(net, world)),
        "six_colours": colours_ranked(world, by_camera=False),
        "six_colours_camera_mean": colours_ranked(world, by_camera=True),
    }
    shares = {name: (share,) for name, share in camera_shares(net, world).items()}
    return {**shares, **{name: (100 * s.rank1, 100 * s.map_step) for name, s in scores.items()}}
