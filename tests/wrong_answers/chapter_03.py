"""Chapter 3: plausible wrong answers, each another misconception, and other right ones."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


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


def _pair(images):
    half = len(images) // 2
    return images[:half], torch.cat([images[:1], images[half:]])


def _features(net, images):
    """Two features of the first image, on a copy of the network."""
    net = copy.deepcopy(net)
    return [net(part)[0] for part in _pair(images)]


def reads_the_flag(net, images):
    """Asks for the mode of the whole network."""
    return net.training


def looks_for_batch_norm(net, images):
    """Looks for batch-norm layers in training mode."""
    return any(isinstance(m, nn.BatchNorm1d) and m.training for m in net.modules())


def exactly_equal(net, images):
    """Takes rounding for a difference."""
    one, other = _features(net, images)
    return not torch.equal(one, other)


def says_the_reverse(net, images):
    """True where nothing depends on the batch."""
    one, other = _features(net, images)
    return torch.allclose(one, other, atol=1e-4)


def evaluates_first(net, images):
    """Switches to evaluation mode, where the fault is gone."""
    one, other = _features(net.eval(), images)
    return not torch.allclose(one, other, atol=1e-4)


def one_image_alone(net, images):
    """Compares with the image alone, which batch norm refuses."""
    net = copy.deepcopy(net)
    return not torch.allclose(net(images[:1])[0], net(images)[0], atol=1e-4)


def moves_statistics(net, images):
    """Leaves the running statistics moved."""
    one, other = (net(part)[0] for part in _pair(images))
    return not torch.allclose(one, other, atol=1e-4)


def changes_the_mode(net, images):
    """Puts the whole network back into one mode."""
    one, other = _features(net, images)
    net.train(net.training)
    return not torch.allclose(one, other, atol=1e-4)


def two_images(net, images):
    """Compares two different images of one batch."""
    one, other = copy.deepcopy(net)(images)[:2]
    return not torch.allclose(one, other, atol=1e-4)


def returns_a_distance(net, images):
    """Returns how far, and not whether."""
    one, other = _features(net, images)
    return float((one - other).detach().abs().max())


def first_number_only(net, images):
    """Compares one number of the feature."""
    one, other = _features(net, images)
    return bool((one[0] - other[0]).abs() > 1e-4)


def in_a_copy(net, images):
    """Right: the largest difference, on a copy."""
    one, other = _features(net, images)
    return (one - other).abs().max() > 1e-4 * one.abs().max()


def by_cosine(net, images):
    """Right: the cosine, with the state restored layer by layer."""
    kept = copy.deepcopy(net.state_dict())
    one, other = (net(part)[0].detach() for part in _pair(images))
    net.load_state_dict(kept)
    return float(F.cosine_similarity(one, other, dim=0)) < 1 - 1e-6


def _means(cameras, train, train_cameras):
    known = [train[train_cameras == c].mean(0) if bool((train_cameras == c).any()) else train.mean(0) for c in cameras]
    return torch.stack(known)


def one_mean_for_all(features, cameras, train, train_cameras):
    """The mean of all cameras."""
    return features - train.mean(0)


def means_of_the_test(features, cameras, train, train_cameras):
    """The means come from the images that are changed."""
    return features - _means(cameras, features, cameras)


def means_added(features, cameras, train, train_cameras):
    """Adds."""
    return features + _means(cameras, train, train_cameras)


def in_place(features, cameras, train, train_cameras):
    """Changes its argument."""
    features -= _means(cameras, train, train_cameras)
    return features


def normalised_again(features, cameras, train, train_cameras):
    """Back to length 1."""
    return F.normalize(features - _means(cameras, train, train_cameras), dim=1)


def standardised(features, cameras, train, train_cameras):
    """Divides by the standard deviation of the training features."""
    return (features - _means(cameras, train, train_cameras)) / train.std()


def sums(features, cameras, train, train_cameras):
    """Sum in place of mean."""
    return features - torch.stack([train[train_cameras == c].sum(0) for c in cameras])


def one_number_per_camera(features, cameras, train, train_cameras):
    """A mean over all numbers of all images of a camera."""
    return features - torch.stack([train[train_cameras == c].mean() for c in cameras])[:, None]


def camera_as_index(features, cameras, train, train_cameras):
    """Takes a camera's number for a row."""
    means = torch.stack([train[train_cameras == c].mean(0) for c in train_cameras.unique()])
    return features - means[cameras]


def grouped(features, cameras, train, train_cameras):
    """Camera after camera, in another order than the images."""
    centred = features - _means(cameras, train, train_cameras)
    return torch.cat([centred[cameras == c] for c in cameras.unique()])


def nan_for_a_new_camera(features, cameras, train, train_cameras):
    """The mean of no image."""
    return features - torch.stack([train[train_cameras == c].mean(0) for c in cameras])


def new_camera_left_alone(features, cameras, train, train_cameras):
    """Nothing is subtracted where a camera is not known."""
    result = features.clone()
    for c in train_cameras.unique():
        result[cameras == c] -= train[train_cameras == c].mean(0)
    return result


def new_camera_zero(features, cameras, train, train_cameras):
    """An empty result is filled for known cameras only."""
    result = torch.zeros_like(features)
    for c in train_cameras.unique():
        result[cameras == c] = features[cameras == c] - train[train_cameras == c].mean(0)
    return result


def mean_of_means(features, cameras, train, train_cameras):
    """A new camera gets the mean of the cameras' means."""
    every = torch.stack([train[train_cameras == c].mean(0) for c in train_cameras.unique()]).mean(0)
    known = [train[train_cameras == c].mean(0) if bool((train_cameras == c).any()) else every for c in cameras]
    return features - torch.stack(known)


def nothing_subtracted(features, cameras, train, train_cameras):
    """Hands the features back."""
    return features.clone()


def by_a_dictionary(features, cameras, train, train_cameras):
    """Right: means by camera in a dictionary, image after image, in arrays."""
    train, of = np.asarray(train, dtype=float), np.asarray(train_cameras)
    means = {c: train[of == c].mean(0) for c in set(of.tolist())}
    return np.stack([x - means.get(c, train.mean(0)) for x, c in zip(features.numpy(), cameras.tolist(), strict=True)])


def by_a_matrix(features, cameras, train, train_cameras):
    """Right: an indicator matrix."""
    same = (cameras[:, None] == train_cameras).to(train)
    same[same.sum(1) == 0] = 1
    return features - same @ train / same.sum(1, keepdim=True)


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
    "depends_on_batch": (
        reads_the_flag,
        looks_for_batch_norm,
        exactly_equal,
        says_the_reverse,
        evaluates_first,
        one_image_alone,
        moves_statistics,
        changes_the_mode,
        two_images,
        returns_a_distance,
        first_number_only,
    ),
    "subtract_camera_means": (
        one_mean_for_all,
        means_of_the_test,
        means_added,
        in_place,
        normalised_again,
        standardised,
        sums,
        one_number_per_camera,
        camera_as_index,
        grouped,
        nan_for_a_new_camera,
        new_camera_left_alone,
        new_camera_zero,
        mean_of_means,
        nothing_subtracted,
    ),
}

OTHER_RIGHT = {
    "unit_distances": (by_differences, in_numpy),
    "depends_on_batch": (in_a_copy, by_cosine),
    "subtract_camera_means": (by_a_dictionary, by_a_matrix),
}
