"""Controls: what can be had without labels and without training, so that any adaptation has to beat it.

Each is handed to the evaluation: ``pl.evaluate(net, target, control=pl.controls.camera_mean(net, target))``. Of
``target``, a data set or a split, the training images are used, without identities. ``net`` is not changed; it is a
`PatchNet`, or any torch module with ``transform`` (PIL image -> tensor). Images of a camera that has no number, or
fewer than ``LEAST`` training images, are treated by the statistics of all cameras.

>>> import paullite as pl
>>> net, dolls = pl.shipped_net(), pl.data.PaperDolls("target", identities=4, test_identities=2)
>>> controls = [make(net, dolls) for make in (batch_norm, batch_norm_by_camera, camera_mean)]
>>> sorted(controls[1].nets, key=str), [pl.evaluate(net, dolls, control=control).queries for control in controls]
([10, 11, 12, 13, None], [7, 7, 7])
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .data.items import ReIDDataset, Split
from .data.transforms import shuffled_places
from .errors import InputError
from .features import Transform, extract
from .runs.distributed import Team

Net = TypeVar("Net", bound=nn.Module)
Target = ReIDDataset | Split
LEAST = 8  # with fewer training images, the statistics of a camera would be those of one or two people


@dataclass(frozen=True, eq=False, repr=False)
class Control:
    """How images become features: by the network of their camera, less its shift (P, D); ``None``: any other camera."""

    net: nn.Module
    transform: Transform | None = None
    nets: Mapping[int | None, nn.Module] = field(default_factory=dict)
    shifts: Mapping[int | None, Tensor] = field(default_factory=dict)

    def features(self, split: Split, *, batch: int = 128, workers: int = 0, team: Team | None = None) -> Tensor:
        """(N, P, D) for a `PatchNet`, (N, F) for another module; see `paullite.features.extract`."""
        known = self.nets or self.shifts
        rows: dict[int, Tensor] = {}
        cameras = [camera if camera in known else None for camera in split.camids or [None] * len(split)]
        for camera, places in _places(cameras).items():
            net, images = self.nets.get(camera, self.net), split.take(places)
            x = extract(net, images, transform=self.transform, batch=batch, workers=workers, team=team)
            rows |= zip(places, F.normalize(x, dim=-1) - self.shifts[camera] if self.shifts else x, strict=True)
        return torch.stack([rows[place] for place in range(len(split))])


def batch_norm(net: Net, target: Target, *, transform: Transform | None = None, seed: int = 0, batch: int = 84) -> Net:
    r"""A copy of the network whose batch-norm statistics are averages over one pass of the target.

    .. math:: \mu = \frac1M \sum_m \mathrm{mean}(x_m), \qquad \sigma^2 = \frac1M \sum_m \mathrm{var}(x_m)

    over M random batches x_m of ``batch`` images. The idea is AdaBN's: Li et al., Pattern Recognition 2018.
    """
    images, adapted = target.unlabelled(), copy.deepcopy(net)
    if len(images) < 2:
        raise InputError(f"found {len(images)} training images", "expected 2 or more, for a variance")
    momenta = {m: m.momentum for m in adapted.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    for layer in momenta:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all batches
    order = shuffled_places(len(images), seed, "first pass").tolist()
    extract(adapted, images.take(order), transform=transform, batch=batch, train_mode=True)
    for layer, momentum in momenta.items():
        layer.momentum = momentum
    return adapted


def batch_norm_by_camera(
    net: nn.Module, target: Target, *, transform: Transform | None = None, seed: int = 0, batch: int = 84
) -> Control:
    r"""One set of batch-norm statistics per camera: as `batch_norm`, but over the images of one camera.

    .. math:: x_i \to (x_i - \mu_c) / \sigma_c, \qquad c \text{ the camera of image } i

    Source: Zhuang et al., ECCV 2020 (camera-based batch normalisation), without their training.
    """
    images, nets = target.unlabelled(), {}
    for camera, places in _training_places(images).items():
        even = -(-len(places) // -(-len(places) // batch))  # a last batch of two would weigh as much as the others
        adapted = batch_norm(net, images.take(places), transform=transform, seed=seed, batch=even)
        for own, shared in zip(adapted.parameters(), net.parameters(), strict=True):
            own.data = shared.data  # sixteen cameras need not hold sixteen backbones
        nets[camera] = adapted
    return Control(net, transform, nets=nets)


def camera_mean(net: nn.Module, target: Target, *, transform: Transform | None = None, workers: int = 0) -> Control:
    r"""The camera's mean feature over the training images is subtracted from each feature.

    .. math:: y_i = x_i - \frac{1}{N_c} \sum_{j: c_j = c} x_j, \qquad c = c_i

    with L2-normalised x, each patch by itself; y is not normalised again. The idea: Song et al., ICLR 2025.
    """
    images = target.unlabelled()
    places = _training_places(images)
    x = F.normalize(extract(net, images, transform=transform, workers=workers), dim=-1)  # N P D
    return Control(net, transform, shifts={camera: x[own].mean(0) for camera, own in places.items()})


def _training_places(images: Split) -> dict[int | None, list[int]]:
    """The places of each camera's images, if there are ``LEAST``, and of all under ``None``."""
    if images.camids is None:
        raise InputError("found images without camera numbers", "expected one for each", "use pl.controls.batch_norm")
    each = {camera: places for camera, places in _places(images.camids).items() if len(places) >= LEAST}
    return {None: list(range(len(images))), **each}


def _places(cameras: Sequence[int | None]) -> dict[int | None, list[int]]:
    """The places of each camera's images: ``_places([4, 7, 4])`` is ``{4: [0, 2], 7: [1]}``."""
    return {camera: [i for i, other in enumerate(cameras) if other == camera] for camera in dict.fromkeys(cameras)}
