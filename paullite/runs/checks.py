"""What is looked at before and during training, so that a fault is named where it arises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..config import AdaptConfig, PretrainConfig
from ..data.items import Split
from ..errors import InputError, at_least_one
from .session import Session


def check_batch(config: PretrainConfig | AdaptConfig, images: int) -> None:
    """Raises an `InputError` if a batch is empty or larger than the data, or there are fewer than no epochs."""
    at_least_one(batch=config.batch, bn_splits=config.bn_splits)
    if config.epochs < 0:
        raise InputError(f"found epochs = {config.epochs}", "expected 0 (the network as it is) or more")
    if config.batch > images:
        raise InputError(
            f"found a batch of {config.batch} with {images} training images",
            f"expected a batch of {images} or fewer",
            f"use --batch {max(images // 2, 1)}",
        )


def check_finite(session: Session, split: Split, places: Tensor, **numbers: Tensor) -> None:
    """See that features and losses are numbers, before anything learns from them.

    The last checkpoint stays as it is: what comes after it has met what is no number.

    Args:
        session: knows epoch and step.
        split: the training images.
        places: of the batch, all processes together.
        numbers: by name; the first that holds NaN or infinity is reported.

    Raises:
        InputError: names the batch and its images; with an output folder, all of them in ``bad_batch.txt``.
    """
    for name, value in numbers.items():
        if not bool(torch.isfinite(value).all()):
            paths = [split.paths[i] for i in places.tolist()]
            raise InputError(
                f"found NaN or infinity in the {name} of {session.where()}, with {_listed(paths)}"
                + session.note("bad_batch.txt", paths),
                "expected finite numbers; nothing was learned from this batch, and the last checkpoint stays",
                "look at these images, or use a smaller learning rate",
            )


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
