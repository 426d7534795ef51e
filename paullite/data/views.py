"""What training does to an image, for a whole batch at once and on the device: one colour operation, one resampling.

Random numbers depend on (seed, epoch, place of the image) alone: neither the number of workers nor the batch changes a
pixel. Letters: B images, h0 w0 size of a picture, h w size of a view, u random numbers in 0..1, forms (B,) height over
width of each picture as it was taken.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import AdaptConfig
from .transforms import Statistics

TRIES = 10  # boxes that are drawn until one fits into the image, as torchvision does
DRAWS = 4 + 1 + 2 * TRIES + 2 + 2  # colours, rotation, sizes and forms of boxes, place of the box, both flips

LUMA = (0.299, 0.587, 0.114)  # what red, green and blue weigh in the brightness that an eye sees
TO_YIQ = (LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))  # brightness and two chroma axes (ITU-R BT.601)


def uniforms(seed: int, epoch: int, places: Sequence[int], count: int = DRAWS) -> Tensor:
    """Random numbers in 0..1 for each image of a batch, (B, count), the same whatever else is in the batch.

    >>> torch.equal(uniforms(0, 1, [4, 7])[1], uniforms(0, 1, [7])[0])
    True
    """
    rows = [np.random.default_rng((seed, epoch, place)).random(count, dtype=np.float32) for place in places]
    return torch.from_numpy(np.stack(rows))


def originals(pixels: Tensor, size: tuple[int, int], normalisation: Statistics, flip: Tensor | None = None) -> Tensor:
    """Images as the network takes them, mirrored where ``flip`` (B,): (B, 3, h0, w0) uint8 -> (B, 3, h, w) float32."""
    x = pixels.float() / 255
    if x.shape[-2:] != size:
        x = F.interpolate(x, size, mode="bilinear", antialias=True)
    if flip is not None:
        x = torch.where(flip.to(x.device, non_blocking=True).view(-1, 1, 1, 1), x.flip(-1), x)
    return normalised(x, normalisation)


def surrogates(
    pixels: Tensor, forms: Tensor, u: Tensor, size: tuple[int, int], normalisation: Statistics, config: AdaptConfig
) -> Tensor:
    """The surrogate positive of each image: colours jittered, turned, cropped, perhaps mirrored, resized, normalised.

    As torchvision's ColorJitter, RandomRotation, RandomResizedCrop and RandomHorizontalFlip one after the other, but
    the colour operations come in a fixed order and are clamped once; hue turns in YIQ and not in HSV, which keeps the
    brightness; and the picture is interpolated once instead of three times. What a turn or a crop uncovers is black.
    The turn is one of the picture as it was taken, hence ``forms``; u is (B, DRAWS) from `uniforms`.
    """
    boxes = crop_boxes(u[:, 5:-2], forms, size, config.crop, config.crop_form)
    angle = torch.deg2rad((2 * u[:, 4] - 1) * config.rotation)
    theta = view_matrices(boxes, angle, u[:, -1] < 0.5, forms)  # B 2 3
    device = pixels.device
    matrix, contrast = (m.to(device, non_blocking=True) for m in colour_matrices(u[:, :4], config.jitter))
    x = jittered(pixels.float() / 255, matrix, contrast)
    grid = F.affine_grid(theta.to(device, non_blocking=True), [len(x), 3, *size], align_corners=False)
    return normalised(F.grid_sample(x, grid, align_corners=False), normalisation)


def normalised(x: Tensor, normalisation: Statistics) -> Tensor:
    """Mean subtracted and divided by the standard deviation, per colour: (B, 3, h, w), pixels in 0..1."""
    statistics = torch.tensor(normalisation, dtype=x.dtype).view(2, 3, 1, 1)
    mean, std = statistics.to(x.device, non_blocking=True)
    return (x - mean) / std


def colour_matrices(u: Tensor, jitter: tuple[float, float, float, float]) -> tuple[Tensor, Tensor]:
    r"""Brightness, contrast, saturation and hue of each image as one affine map of its colours.

    .. math:: x' = M x + t \, \bar y \, (1, 1, 1), \qquad M = b c \, H (s I + (1 - s) \mathbf{1} \ell^T)

    with factors b, c, s in 1 - j..1 + j, the hue turned by an angle in -j..j turns (H), :math:`\bar y` the image's
    mean brightness, and :math:`t = b (1 - c)`. From u (B, 4) and a j for each of the four: M, (B, 3, 3), and t, (B,).
    """
    b, c, s = (1 + (2 * u[:, :3] - 1) * torch.tensor(jitter[:3])).unbind(1)
    luma = torch.tensor(LUMA).expand(3, 3)  # 1 l^T: the brightness in all three colours
    grey = s.view(-1, 1, 1) * torch.eye(3) + (1 - s).view(-1, 1, 1) * luma
    hue = hue_matrices((2 * u[:, 3] - 1) * jitter[3])
    return (b * c).view(-1, 1, 1) * hue @ grey, b * (1 - c)


def hue_matrices(turns: Tensor) -> Tensor:
    """Rotations of the chroma plane of YIQ, as matrices on red, green and blue: (B,) in turns -> (B, 3, 3)."""
    there = torch.tensor(TO_YIQ)
    angle = 2 * math.pi * turns
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = ((one, zero, zero), (zero, angle.cos(), angle.sin()), (zero, -angle.sin(), angle.cos()))
    turn = torch.stack([torch.stack(row, -1) for row in rows], -2)  # B 3 3
    return there.inverse() @ turn @ there


def jittered(x: Tensor, matrix: Tensor, contrast: Tensor) -> Tensor:
    """The colours of each image changed: (B, 3, h, w) in 0..1, (B, 3, 3), (B,) -> the same shape, in 0..1."""
    brightness = torch.einsum("bchw,c->b", x, x.new_tensor(LUMA)) / x[0, 0].numel()
    offset = (contrast * brightness).view(-1, 1, 1)
    return torch.baddbmm(offset, matrix, x.flatten(2)).view_as(x).clamp_(0, 1)


def crop_boxes(u: Tensor, forms: Tensor, size: tuple[int, int], crop: tuple[float, float], most: float) -> Tensor:
    """The part of each image that is kept, as torchvision's RandomResizedCrop draws it, from u (B, 2 TRIES + 2).

    It has a share of the area within ``crop``, and the form of a view of ``size`` up to a factor of ``most`` >= 1.
    Returns (B, 4): middle across and down, in -1..1, and width and height, in 0..1 of the picture's.
    """
    share = crop[0] + (crop[1] - crop[0]) * u[:, :TRIES]  # B TRIES
    form = size[1] / size[0] * torch.exp((2 * u[:, TRIES : 2 * TRIES] - 1) * math.log(most))  # width over height
    sides = torch.stack(((share * form * forms[:, None]).sqrt(), (share / (form * forms[:, None])).sqrt()), -1)
    fits = (sides <= 1).all(-1)  # B TRIES
    chosen = sides[torch.arange(len(u)), fits.int().argmax(1)]  # the first that fits, B 2
    # none fits: the largest box in the middle whose form is allowed
    low, high = size[1] / size[0] / most * forms, size[1] / size[0] * most * forms
    whole = torch.stack((high.clamp(max=1), (1 / low).clamp(max=1)), -1)
    found = fits.any(1)[:, None]
    sides = torch.where(found, chosen, whole)
    middle = torch.where(found, (2 * u[:, 2 * TRIES :] - 1) * (1 - sides), 0)
    return torch.cat((middle, sides), 1)


def view_matrices(boxes: Tensor, angle: Tensor, flips: Tensor, forms: Tensor) -> Tensor:
    """Where each point of a view lies in its picture, as theta of `torch.nn.functional.affine_grid`.

    A view's point is mirrored, carried into the box (B, 4), and turned by an angle (B,) in radians about the picture's
    middle; the turn is one of pixels, so heights are brought to the unit of widths.
    """
    (x, y, width, height), cos, sin = boxes.unbind(1), angle.cos(), angle.sin()
    mirror = 1 - 2 * flips.to(boxes.dtype)
    across = torch.stack((cos * width * mirror, -sin * height * forms, cos * x - sin * y * forms), -1)
    down = torch.stack((sin * width * mirror / forms, cos * height, sin * x / forms + cos * y), -1)
    return torch.stack((across, down), 1)
