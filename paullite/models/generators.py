"""The patch generation network (PGN): it looks at the feature map and says where the patches are."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import InputError
from ..modes import at_least_float32, full_precision
from .attention import stripes


class ReferenceGenerator(nn.Module):
    """The PGN in the size of the reference implementation: 77.6 M parameters for 2048 channels and P = 6.

    >>> ReferenceGenerator(8, patches=3)(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 3, 2, 3])
    """

    def __init__(self, channels: int, patches: int) -> None:
        super().__init__()
        self.localization = nn.Sequential(nn.Conv2d(channels, 2 * channels, 3), nn.BatchNorm2d(2 * channels))
        self.fc_loc = nn.Sequential(nn.Linear(2 * channels, 512), nn.ReLU(), _StripesLinear(512, patches))

    def forward(self, feature_map: Tensor) -> Tensor:
        """(B, C, H, W) -> theta (B, P, 2, 3); an `InputError` for a map smaller than 3x3."""
        check_map(*feature_map.shape[-2:])
        x = F.relu(self.localization(feature_map))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.fc_loc(x.mean((2, 3))).unflatten(1, (-1, 2, 3))


def check_map(height: int, width: int) -> None:
    """Raises an `InputError` if a map is too small for the reference generator's unpadded convolution."""
    if min(height, width) < 3:
        found, do = f"found a map of {height}x{width} cells", "use larger images or --generator light"
        raise InputError(found, "expected 3x3 or more for the reference generator", do)


class LightGenerator(nn.Module):
    """A PGN for less than 1 % of the backbone's work, on maps of any size. This one is ours, not the paper's.

    The map is averaged to a column of ``rows``, since people stand upright; a convolution and a linear layer follow.

    >>> LightGenerator(8, patches=3)(torch.zeros(2, 8, 5, 2))[0, 0]     # it starts at the stripes
    tensor([[ 1.0000,  0.0000,  0.0000],
            [ 0.0000,  0.3333, -0.6667]], grad_fn=<SelectBackward0>)
    """

    def __init__(self, channels: int, patches: int, *, rows: int = 8, width: int = 32) -> None:
        super().__init__()
        self.rows = rows
        self.conv = nn.Conv1d(channels, width, 3, padding=1)
        self.linear = _StripesLinear(width * rows, patches)

    def forward(self, feature_map: Tensor) -> Tensor:
        """(B, C, H, W) -> theta (B, P, 2, 3)."""
        height, width = feature_map.shape[-2:]
        column = torch.einsum("bchw,hr->bcr", feature_map, _row_means(height, self.rows, feature_map)) / width
        return self.linear(F.relu(self.conv(column)).flatten(1)).unflatten(1, (-1, 2, 3))


def _row_means(height: int, rows: int, like: Tensor) -> Tensor:
    """Adaptive average pooling as a matrix, (H, R): its own backward is not deterministic on CUDA, and MPS lacks it."""
    # made where the map is: to copy it from the CPU, the program would wait until the GPU is done with the backbone
    cell = torch.arange(height, device=like.device)[:, None]
    row = torch.arange(rows, device=like.device)
    first = row * height // rows  # the first cell of each row, and the first that is no more in it
    end = ((row + 1) * height + rows - 1) // rows
    return (((cell >= first) & (cell < end)) / (end - first)).to(like.dtype)


class _StripesLinear(nn.Linear):
    """A last layer that answers with the horizontal stripes until it has learned something, (B, width) -> (B, 6P)."""

    def __init__(self, width: int, patches: int) -> None:
        super().__init__(width, 6 * patches)
        nn.init.zeros_(self.weight)
        with torch.no_grad():
            self.bias.copy_(stripes(patches).flatten())

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x.device):  # bfloat16 would round places to 1/256
            return F.linear(*map(at_least_float32, (x, self.weight, self.bias)))
