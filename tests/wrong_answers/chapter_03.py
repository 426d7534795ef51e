"""Chapter 3: plausible wrong answers, each another misconception, and other right ones."""

import numpy as np
import torch
import torch.nn.functional as F


def _unit(x):
    return F.normalize(x, dim=-1)


def lengths_left(query, gallery):
    """Nothing is normalised."""
    return torch.cdist(query, gallery) ** 2


def root_taken(query, gallery):
    """The distance, not its square."""
    return torch.cdist(_unit(query), _unit(gallery))


def cosine_distance(query, gallery):
    """1 - cos is taken for the squared distance."""
    return (1 - _unit(query) @ _unit(gallery).mT).clamp(min=0)


def similarity(query, gallery):
    """The cosine itself: large where it should be small."""
    return _unit(query) @ _unit(gallery).mT


def gallery_left(query, gallery):
    """Only the query is normalised."""
    return torch.cdist(_unit(query), gallery) ** 2


def along_the_images(query, gallery):
    """Each column is normalised over the images, not each image over its numbers."""
    q, g = F.normalize(query, dim=-2), F.normalize(gallery, dim=-2)
    return (2 - 2 * q @ g.mT).clamp(min=0)


def whole_matrix(query, gallery):
    """One length for the whole matrix."""
    return (2 - 2 * (query / query.norm()) @ (gallery / gallery.norm()).mT).clamp(min=0)


def sum_to_one(query, gallery):
    """Divided by the sum of the absolute values."""
    q, g = F.normalize(query, p=1, dim=-1), F.normalize(gallery, p=1, dim=-1)
    return (2 - 2 * q @ g.mT).clamp(min=0)


def zeros_are_nan(query, gallery):
    """Divides by a length of zero."""
    q, g = query / query.norm(dim=-1, keepdim=True), gallery / gallery.norm(dim=-1, keepdim=True)
    return (2 - 2 * q @ g.mT).clamp(min=0)


def second_axis(query, gallery):
    """Normalises with dim=1, which in a stack is the axis of the images."""
    return (2 - 2 * F.normalize(query, dim=1) @ F.normalize(gallery, dim=1).mT).clamp(min=0)


def other_way_round(query, gallery):
    """Rows are the gallery."""
    return (2 - 2 * _unit(gallery) @ _unit(query).mT).clamp(min=0)


def pairs_only(query, gallery):
    """The first query with the first gallery image, the second with the second."""
    count = min(query.shape[-2], gallery.shape[-2])
    return (2 - 2 * (_unit(query)[..., :count, :] * _unit(gallery)[..., :count, :]).sum(-1)).clamp(min=0)


def by_differences(query, gallery):
    """Right: the definition of the distance, term by term."""
    return (_unit(query).unsqueeze(-2) - _unit(gallery).unsqueeze(-3)).square().sum(-1)


def in_numpy(query, gallery):
    """Right: arrays, and a small number under the length."""
    q, g = np.asarray(query, dtype=float), np.asarray(gallery, dtype=float)
    q = q / (np.linalg.norm(q, axis=-1, keepdims=True) + 1e-12)
    g = g / (np.linalg.norm(g, axis=-1, keepdims=True) + 1e-12)
    return np.maximum(2 - 2 * q @ np.swapaxes(g, -1, -2), 0)


def _channels(v):
    return v[:, None, None]


def own_statistics(x, mean, var, weight, bias, eps=1e-5):
    """Training mode: the batch's own mean and variance."""
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def epsilon_outside(x, mean, var, weight, bias, eps=1e-5):
    """Adds epsilon behind the root."""
    return (x - _channels(mean)) / (_channels(var).sqrt() + eps) * _channels(weight) + _channels(bias)


def weight_first(x, mean, var, weight, bias, eps=1e-5):
    """Gamma and beta before the normalisation."""
    return (x * _channels(weight) + _channels(bias) - _channels(mean)) / (_channels(var) + eps).sqrt()


def one_mean(x, mean, var, weight, bias, eps=1e-5):
    """One mean for all channels."""
    return (x - mean.mean()) / (_channels(var) + eps).sqrt() * _channels(weight) + _channels(bias)


def in_place(x, mean, var, weight, bias, eps=1e-5):
    """Changes the caller's map."""
    x -= _channels(mean)
    return x / (_channels(var) + eps).sqrt() * _channels(weight) + _channels(bias)


def bias_scaled(x, mean, var, weight, bias, eps=1e-5):
    """Gamma multiplies beta too."""
    return ((x - _channels(mean)) / (_channels(var) + eps).sqrt() + _channels(bias)) * _channels(weight)


def weight_for_bias(x, mean, var, weight, bias, eps=1e-5):
    """Gamma is added and beta multiplies."""
    return (x - _channels(mean)) / (_channels(var) + eps).sqrt() * _channels(bias) + _channels(weight)


def epsilon_of_its_own(x, mean, var, weight, bias, eps=1e-5):
    """Ignores the epsilon that is given."""
    return (x - _channels(mean)) / (_channels(var) + 1e-5).sqrt() * _channels(weight) + _channels(bias)


def pytorchs_own(x, mean, var, weight, bias, eps=1e-5):
    """Right: PyTorch's function in evaluation mode."""
    return F.batch_norm(x, mean, var, weight, bias, training=False, eps=eps)


def one_scale_one_shift(x, mean, var, weight, bias, eps=1e-5):
    """Right: folded into one multiplication and one addition."""
    scale = weight / (var + eps) ** 0.5
    return torch.einsum("bchw,c->bchw", x, scale) + (bias - mean * scale).view(1, -1, 1, 1)


WRONG = {
    "unit_distances": (
        lengths_left,
        root_taken,
        cosine_distance,
        similarity,
        gallery_left,
        along_the_images,
        whole_matrix,
        sum_to_one,
        zeros_are_nan,
        second_axis,
        other_way_round,
        pairs_only,
    ),
    "batch_norm": (
        own_statistics,
        epsilon_outside,
        weight_first,
        one_mean,
        in_place,
        bias_scaled,
        weight_for_bias,
        epsilon_of_its_own,
    ),
}

OTHER_RIGHT = {
    "unit_distances": (by_differences, in_numpy),
    "batch_norm": (pytorchs_own, one_scale_one_shift),
}
