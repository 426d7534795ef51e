"""The memory: one running mean of features for each training image."""

import numpy as np
import torch
from torch import Tensor, nn

from .errors import InputError


class FeatureMemory(nn.Module):
    r"""Running means of the features of every training image, updated by the image's place in the data set.

    .. math:: w_i \leftarrow (1 - \mu) \, w_i + \mu \, x_i

    The first visit stores x as it is. The mean is not normalised again, so ``||w|| <= 1`` for normalised features.
    PEDAL keeps one with P patches; the image centers of IPFL are one with P = 1. The whole state, momentum included, is
    in its ``state_dict``, and ``.to(device)`` moves it.

    Args:
        size, patches, dim: N images in the training set, P, and D, the size of a feature.
        momentum: :math:`\mu`, share of the new feature, in (0, 1]; 0.1 in PAUL.

    >>> memory = FeatureMemory(3, 1, 2, momentum=0.1)
    >>> memory.update(torch.tensor([1]), torch.tensor([[[1.0, 0.0]]]))
    >>> memory.update(torch.tensor([1]), torch.tensor([[[0.0, 1.0]]]))
    >>> memory.features[1], memory.filled
    (tensor([[0.9000, 0.1000]]), tensor([False,  True, False]))
    """

    features: Tensor  #: (N, P, D) float32, zero where nothing was stored
    filled: Tensor  #: (N,) bool

    def __init__(self, size: int, patches: int, dim: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        if not 0 < momentum <= 1:
            raise InputError(f"found momentum = {momentum}", "expected a share, over 0 and up to 1")
        self.momentum = float(momentum)
        self.register_buffer("features", torch.zeros(size, patches, dim))  # N P D
        self.register_buffer("filled", torch.zeros(size, dtype=torch.bool))  # N

    @torch.no_grad()
    def update(self, index: Tensor, features: Tensor, *, check_finite: bool = True) -> None:
        """Store or average the features (B, P, D), in any float type, of the images in the rows ``index`` (B,).

        An `InputError`, which changes nothing, names an index that stands twice or is out of range, a shape that does
        not fit, and with ``check_finite`` NaN and infinity. To look for those, or at an index on a GPU, is to wait for
        the device: a training loop that watches its losses passes False, and an index on the CPU.
        """
        self._check(index, features, check_finite)
        index = index.to(self.features.device)
        new = features.to(self.features)
        share = torch.where(self.filled[index], self.momentum, 1.0).view(-1, 1, 1)
        self.features[index] = (1 - share) * self.features[index] + share * new
        self.filled[index] = True

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.momentum, dtype=torch.float64)  # a tensor, as every entry of the state has to be

    def set_extra_state(self, state: Tensor) -> None:
        self.momentum = float(state)

    def extra_repr(self) -> str:
        return f"{', '.join(map(str, self.features.shape))}, momentum={self.momentum}"

    def _check(self, index: Tensor, features: Tensor, check_finite: bool) -> None:
        size, *shape = self.features.shape
        if features.shape != (len(index), *shape):
            raise InputError(f"found features {tuple(features.shape)}", f"expected {(len(index), *shape)}")
        rows = index.cpu().numpy()  # numpy's look at it costs a GPU nothing where the index is on the CPU already
        if len(rows) and not 0 <= rows.min() <= rows.max() < size:
            raise InputError(f"found rows {rows.min()}..{rows.max()}", f"expected rows in 0..{size - 1}")
        if len(np.unique(rows)) != len(rows):
            raise InputError("found the same row twice in one update", "expected each image once", "make two updates")
        if check_finite and not bool(torch.isfinite(features).all()):
            bad = index[(~torch.isfinite(features)).flatten(1).any(1).to(index.device)].tolist()
            raise InputError(f"found NaN or infinity in the features of rows {bad[:5]}", "expected finite numbers")
