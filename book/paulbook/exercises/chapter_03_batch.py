"""Exercise 3.2: does a feature depend on the images beside it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect

Detector = Callable[[nn.Module, Tensor], Any]
NEAR = 1e-4  # features of length 1 that differ by less differ by rounding


def depends_on_batch(net: nn.Module, images: Tensor) -> bool:
    """Whether the first image's feature changes with the images beside it: the book's own answer.

    >>> images = torch.tensor([[0.0, 1.0], [1.0, 5.0], [2.0, 2.0], [7.0, 0.0]])
    >>> layer = nn.BatchNorm1d(2)
    >>> depends_on_batch(layer, images), depends_on_batch(layer.eval(), images)
    (True, False)
    """
    kept = {name: value.clone() for name, value in net.state_dict().items()}
    half = len(images) // 2
    with torch.no_grad():
        one = net(images[:half])[0]
        other = net(torch.cat([images[:1], images[half:]]))[0]
    net.load_state_dict(kept)
    return not torch.allclose(F.normalize(one, dim=0), F.normalize(other, dim=0), atol=NEAR)


class _Net(nn.Module):
    """Three numbers for an image of three: a batch norm between what comes before and after it."""

    def __init__(self, norm: nn.Module, rounding: float = 0) -> None:
        super().__init__()
        self.norm, self.rounding = norm, rounding

    def forward(self, images: Tensor) -> Tensor:
        x: Tensor = self.norm(images)
        return x * (1 + self.rounding * torch.arange(1, 4) * float(images[1:].sum()))


def _norm(train: bool) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(3).train(train)


def _batch(count: int = 8) -> Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(5)) + torch.tensor([1.0, -2.0, 3.0])


def _found(detector: Detector, net: nn.Module, images: Tensor | None = None) -> bool:
    """What the answer says of a network, as a truth value."""
    try:
        said = detector(net, _batch() if images is None else images)
    except ValueError as error:
        if "more than 1 value" not in str(error):
            raise
        words = (
            "In training mode, batch norm cannot compute a variance from one image, and PyTorch raises a ValueError."
        )
        raise Wrong(f"{words} Compare two batches of several images instead.") from error
    hint = f"True or False is expected, but yours returns {said}. Which difference is larger than rounding?"
    expect(isinstance(said, bool), hint)
    return bool(said)


def finds_training_mode(detector: Detector) -> None:
    """A batch norm in training mode is found, with whatever images are beside the first."""
    found, frozen = _found(detector, _Net(_norm(True)).train()), _found(detector, _Net(_norm(False)).eval())
    swapped = "A network in evaluation mode gives True and one in training mode gives False. It should be the reverse."
    expect(found or not frozen, swapped)
    hint = "Batch norm in training mode goes unnoticed. Which images are beside the first one in your two batches?"
    expect(found, f"{hint} And does your function change the mode of the network before it looks?")


def finds_evaluation_mode(detector: Detector) -> None:
    """A network whose features depend on their image alone."""
    hint = "A network in evaluation mode gives True. Do you compare the same image in both batches?"
    expect(not _found(detector, _Net(_norm(False)).eval()), hint)


def looks_at_features(detector: Detector) -> None:
    """What counts is what comes out, not the flag of the whole network."""
    mixed = _Net(_norm(True))
    mixed.eval()
    mixed.norm.train()
    hint = "The network is in evaluation mode, but one layer inside was switched back to training mode. A flag of the"
    expect(_found(detector, mixed), f"{hint} whole network does not show this, whereas its features do.")
    plain = _Net(nn.Linear(3, 3)).train()
    hint = "A network in training mode without batch norm treats every image alone, but yours returns True."
    expect(not _found(detector, plain), f"{hint} Compare features instead of reading the mode.")


def reads_no_names(detector: Detector) -> None:
    """Layers are not searched by their class."""

    class Centred(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images - images.mean(0)

    hint = "A layer of another class subtracts the mean of the batch, and yours does not notice. Looking for batch"
    expect(_found(detector, Centred()), f"{hint} norm by name misses such layers. Compare features.")


def tolerates_rounding(detector: Detector) -> None:
    """Differences of rounding are no dependence."""
    hint = "Batches of another size are added up in another order, so features can differ by about 0.0000001."
    words = f"{hint} Yours takes this for dependence on the batch. Which comparison allows for rounding?"
    expect(not _found(detector, _Net(_norm(False), rounding=3e-7).eval()), words)


def leaves_statistics(detector: Detector) -> None:
    """The running statistics are what they were."""
    net = _Net(_norm(True)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _found(detector, net)
    same = all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    hint = "After the check, the network's running mean and variance have moved, since each pass in training mode"
    expect(same, f"{hint} updates them. Restore the state, or work on a copy.")


def leaves_modes(detector: Detector) -> None:
    """Each layer is in the mode that it was in."""
    mixed = _Net(_norm(True))
    mixed.eval()
    mixed.norm.train()
    _found(detector, mixed)
    hint = "After the check, the network or one of its layers is in another mode than before."
    expect(mixed.norm.training and not mixed.training, f"{hint} Leave it as you found it.")


def sees_small_parts(detector: Detector) -> None:
    """Dependence in one image of four, and in any of their numbers, is found."""

    class Last(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.cat([images[:, :2], images[:, 2:] + images.mean()], 1)

    hint = "A network whose last number alone depends on the batch gives False. Compare the whole feature."
    expect(_found(detector, Last(), _batch(4)), hint)


def has_a_slope(net: nn.Module, images: Tensor) -> bool:
    """The same by a gradient: whether the first image's feature has a slope along any pixel of the other images."""
    with torch.enable_grad():
        pixels = images.clone().requires_grad_()
        feature = net(pixels)[0]
        weighted = (feature * torch.arange(1, 1 + len(feature))).sum()
        (slope,) = torch.autograd.grad(weighted, pixels)
    return bool(slope[1:].abs().max() > 0)


def some_net(draw: Draw) -> tuple[nn.Module, Tensor]:
    """A small convolutional network with or without batch norm, in one of its modes or mixed, and images for it."""
    count, height, width = sizes(draw, 3, low=4)
    layers = nn.BatchNorm2d(5), nn.BatchNorm2d(5).eval(), nn.GroupNorm(1, 5), nn.Identity()
    head = nn.BatchNorm1d(7).train(bool(draw.random() < 0.25))
    parts = [nn.Conv2d(3, 5, 3), layers[draw.integers(4)], nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*parts, nn.Linear(5, 7), head)
    net.training = bool(draw.random() < 0.5)
    for weight in net.parameters():
        weight.data = numbers(draw, *weight.shape)
    return net, numbers(draw, count, 3, height, width)


EXERCISES = (
    Exercise(
        "depends_on_batch",
        3,
        depends_on_batch,
        (
            finds_training_mode,
            finds_evaluation_mode,
            looks_at_features,
            reads_no_names,
            tolerates_rounding,
            leaves_statistics,
            leaves_modes,
            sees_small_parts,
            agrees(has_a_slope, some_net, hint="Compute the first image's feature in two batches, and compare."),
        ),
        example=lambda: (nn.Identity(), torch.eye(4)),
        plain=True,
    ),
)
