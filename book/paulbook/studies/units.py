"""What PEDAL compares: patches as PAUL does, or the whole image as one feature."""

from __future__ import annotations

from math import sqrt

from torch import Tensor

from paullite.losses import PaulLoss, ipfl, pedal
from paullite.step import Step


def image_level(step: Step) -> PaulLoss:
    r"""PAUL's objective with PEDAL on images: the P patch features of an image side by side, as one unit vector.

    .. math:: x_i = \frac{1}{\sqrt P} (f_i^1, \dots, f_i^P), \qquad
              |x_i - x_j|^2 = \frac1P \sum_p |f_i^p - f_j^p|^2

    So the same scale s fits, and each image pulls K images in place of K patches at each of P heights. Memory, network
    and IPFL stay as they are: an arm with this loss differs from PAUL in the unit alone.

    >>> import torch, paullite as pl
    >>> x = torch.nn.functional.normalize(torch.randn(4, 1, 8), dim=-1)
    >>> given = torch.arange(4), x, x[:, 0], pl.AdaptConfig(k=1), 0
    >>> step = Step(x, x.transpose(0, 1).expand(2, 4, 8), *given)
    >>> bool(torch.isclose(image_level(step).total, pl.losses.paul(step).total))     # one patch is the whole image
    True
    """
    config = step.config
    whole = pedal(_side_by_side(step.features), _side_by_side(step.memory), step.index, scale=config.scale, k=config.k)
    views = step.anchors, step.centers, step.owner
    guided = ipfl(*views, margin=config.margin, no_negative=config.no_negative, ranking=step.ranking)
    return PaulLoss(config.pedal_weight * whole + config.ipfl_weight * guided, whole, guided)


def _side_by_side(x: Tensor) -> Tensor:
    """(N, P, D) -> (N, 1, P*D), of length 1 if the patches are."""
    return x.flatten(1)[:, None] / sqrt(x.shape[1])
