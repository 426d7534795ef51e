"""Where half precision is too coarse: places of patches, distances and sums of exponentials."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Autocast off inside the block, on a device of any kind.

    Args:
        device: where the block computes.

    >>> x = torch.ones(2, 2)
    >>> with torch.autocast("cpu", torch.bfloat16), full_precision(x.device):
    ...     (x @ x).dtype
    torch.float32
    """
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()  # torch.autocast raises for a device that it does not know, Apple's before torch 2.5


def at_least_float32(x: Tensor) -> Tensor:
    """float16 and bfloat16 become float32; float64 stays what it is, so that gradients can be checked.

    >>> [at_least_float32(torch.ones(1, dtype=dtype)).dtype for dtype in (torch.bfloat16, torch.float64)]
    [torch.float32, torch.float64]
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
