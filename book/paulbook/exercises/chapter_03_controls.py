"""Exercise 3.4: the mean of each camera subtracted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect
from ..trying import changes

Centring = Callable[..., Any]


def subtract_camera_means(features: Tensor, cameras: Tensor, train_features: Tensor, train_cameras: Tensor) -> Tensor:
    """Features less the mean training feature of their camera: the book's own answer.

    >>> train, cameras = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 8.0]]), torch.tensor([10, 10, 11])
    >>> subtract_camera_means(torch.tensor([[5.0, 1.0]]), torch.tensor([10]), train, cameras)
    tensor([[3., 1.]])
    """
    result = features - train_features.mean(dim=0)
    for camera in train_cameras.unique():
        mean = train_features[train_cameras == camera].mean(dim=0)
        result[cameras == camera] = features[cameras == camera] - mean
    return result


def _asked(centring: Centring, features: Tensor, cameras: Tensor, train: Tensor, train_cameras: Tensor) -> Tensor:
    """What the answer gives, float64."""
    try:
        found = centring(features, cameras, train, train_cameras)
    except (IndexError, KeyError) as error:
        words = f"Your function raises {type(error).__name__}: cameras are names, such as 10 and 11, not indices."
        raise Wrong(f"{words} A test image may also come from a camera without training images.") from error
    return as_doubles(found)


def _centred(centring: Centring, cameras: tuple[int, ...] = (10, 11, 10, 13)) -> Tensor:
    """The answer's four features of given cameras."""
    found = _asked(centring, _test(), torch.tensor(cameras), _train(), _seen_by())
    expect(tuple(found.shape) == (4, 3), f"Four features of three numbers come back as {tuple(found.shape)}.")
    return found


def _seen_by() -> Tensor:
    return torch.tensor([10, 13, 10, 11, 10, 13])


def _train() -> Tensor:
    return F.normalize(torch.randn(6, 3, generator=torch.Generator().manual_seed(1)) + 1, dim=1)


def _test() -> Tensor:
    return F.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(2)) + 1, dim=1)


def _wanted(cameras: tuple[int, ...] = (10, 11, 10, 13)) -> Tensor:
    return subtract_camera_means(_test(), torch.tensor(cameras), _train(), _seen_by()).double()


def _is(found: Tensor, wanted: Tensor) -> bool:
    return torch.allclose(found, wanted.double(), atol=1e-4)


def common_mistakes(centring: Centring) -> None:
    """The usual other things to subtract, each told by what it gives."""
    found, x, train = _centred(centring), _test(), _train()
    numbers = torch.tensor([10, 11, 10, 13])
    expect(not _is(found, x), "The features come back as they were. What is subtracted?")
    expect(not _is(found, 2 * x - _wanted()), "The means are added. Look at the sign.")
    hint = "One mean is subtracted from all images. Every camera has a mean of its own."
    expect(not _is(found, x - train.mean(0)), hint)
    own = subtract_camera_means(x, numbers, x, numbers)
    hint = "The means are those of the images that you change. At test time an image may be alone, so the means have"
    expect(not _is(found, own), f"{hint} to come from the training images.")
    sums = torch.stack([train[_seen_by() == c].sum(0) for c in (10, 11, 10, 13)])
    expect(not _is(found, x - sums), "A camera with three training images is moved three times too far: sum or mean?")
    numbers_mean = torch.stack([train[_seen_by() == c].mean() for c in (10, 11, 10, 13)])[:, None]
    expect(not _is(found, x - numbers_mean), "Each camera's mean is one number. It should be a vector of D numbers.")


def arguments_stay(centring: Centring) -> None:
    """Features that are handed in stay as they are."""
    hint = "Your function changed the features that it was given. Make a new tensor, without -= on an argument."
    expect(not any(changes(centring, _test(), torch.tensor([10, 11, 10, 13]), _train(), _seen_by())), hint)


def not_scaled(centring: Centring) -> None:
    """Nothing is divided."""
    found, wanted = _centred(centring), _wanted()
    hint = "The result is normalised to length 1 again. The exercise asks for the difference itself."
    expect(not _is(found, F.normalize(wanted, dim=1)), hint)
    stretched = found / wanted
    hint = (
        "Every number is right up to a factor, so something is divided after subtracting. Only the mean is asked for."
    )
    expect(_is(found, wanted) or bool((stretched < 0).any()), hint)


def order_is_kept(centring: Centring) -> None:
    """Row i belongs to image i."""
    found, wanted = _centred(centring), _wanted()
    grouped = wanted[[0, 2, 1, 3]]
    hint = "The rows come back sorted by camera. Row i of the result has to belong to row i of the features."
    expect(not _is(found, grouped), hint)


def new_camera(centring: Centring) -> None:
    """A camera without training images gets the mean of all of them."""
    cameras = (10, 11, 99, 13)
    found, x, train = _centred(centring, cameras=cameras)[2], _test()[2], _train()
    start = "Camera 99 has no training images, so the mean of all training images should be subtracted."
    expect(bool(torch.isfinite(found).all()), f"{start} Yours gives NaN, the mean of nothing.")
    expect(not _is(found, x), f"{start} Yours leaves the image as it was.")
    expect(not _is(found, 0 * x), f"{start} Yours returns zeros, as if no feature had been written there.")
    means = torch.stack([train[_seen_by() == c].mean(0) for c in (10, 11, 13)])
    expect(not _is(found, x - means.mean(0)), f"{start} Yours subtracts the mean of the cameras' means.")
    expect(_is(found, x - train.mean(0)), f"{start} Yours subtracts something else.")


def image_by_image(features: Tensor, cameras: Tensor, train_features: Tensor, train_cameras: Tensor) -> Tensor:
    """The same without a mask: each image looks for the training images of its camera, and takes all if it has none."""
    rows = []
    for feature, camera in zip(features, cameras.tolist(), strict=True):
        own = [x for x, other in zip(train_features, train_cameras.tolist(), strict=True) if other == camera]
        rows.append(feature - torch.stack(own or list(train_features)).mean(dim=0))
    return torch.stack(rows)


def as_doubles(found: Any, *_: Any) -> Tensor:
    """What an answer gives, whatever holds its numbers."""
    return torch.as_tensor(found, dtype=torch.float64)


def some_cameras(draw: Draw) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features of images from five cameras with numbers of any size, one of which has no training images."""
    tested, trained, width = sizes(draw, 3, low=8)
    names = torch.from_numpy(draw.permutation(90)[:5])
    cameras = names[torch.from_numpy(draw.integers(5, size=tested))]
    train_cameras = names[torch.from_numpy(draw.integers(4, size=trained))]
    return numbers(draw, tested, width), cameras, numbers(draw, trained, width) + 1, train_cameras


EXERCISES = (
    Exercise(
        "subtract_camera_means",
        3,
        subtract_camera_means,
        (
            common_mistakes,
            arguments_stay,
            not_scaled,
            order_is_kept,
            new_camera,
            agrees(image_by_image, some_cameras, view=as_doubles, hint="Try two cameras by hand."),
        ),
        example=lambda: (torch.eye(2), torch.tensor([10, 11]), torch.eye(2), torch.tensor([10, 11])),
    ),
)
