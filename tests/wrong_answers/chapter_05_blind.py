"""Wrong answers to exercise 5.2, each another misconception, and other right ones."""

from collections import Counter
from itertools import groupby
from math import inf, log, log2, log10

import numpy as np
import torch
import torch.nn.functional as F


def _shares(labels):
    return [count / len(labels) for count in Counter(labels).values()]


def _entropy(labels, logarithm=log):
    return -sum(share * logarithm(share) for share in _shares(labels))


def all_people_alike(labels, patches):
    """The chance level of the chapter, whatever the counts are."""
    return patches * log(len(set(labels)))


def largest_number(labels, patches):
    """As many people as the largest number says."""
    counts = np.bincount(labels)
    return patches * log(len(counts)) if len(set(counts)) == 1 else patches * _entropy(labels) + log(len(counts))


def in_bits(labels, patches):
    """The other usual logarithm."""
    return patches * _entropy(labels, log2)


def base_ten(labels, patches):
    """``math.log10``."""
    return patches * _entropy(labels, log10)


def summed_over_images(labels, patches):
    """A sum in place of a mean."""
    return patches * len(labels) * _entropy(labels)


def counts_images(labels, patches):
    """One class for each image."""
    return patches * log(len(labels))


def most_frequent_costs(labels, patches):
    """Only the images that the best single guess gets right."""
    return -patches * log(max(_shares(labels)))


def always_the_most_frequent(labels, patches):
    """All probability goes to one person, so that the others cost infinitely much."""
    return 0.0 if len(set(labels)) == 1 else inf


def nothing(labels, patches):
    """The lowest value that a cross-entropy can have at all."""
    return 0.0


def wrong_guesses(labels, patches):
    """The share of wrong guesses, without a logarithm."""
    return patches * (1 - sum(share**2 for share in _shares(labels)))


def log_of_the_mean(labels, patches):
    """The mean before the logarithm."""
    return -patches * log(sum(share**2 for share in _shares(labels)))


def neighbours_only(labels, patches):
    """``groupby`` without sorting."""
    shares = [len(list(group)) / len(labels) for _, group in groupby(labels)]
    return -patches * sum(share * log(share) for share in shares)


def numbers_as_indices(labels, patches):
    """Names are used as indices of a list that is too short."""
    counts = [0] * 20
    for label in labels:
        counts[label] += 1
    return -patches * sum(count / len(labels) * log(count / len(labels)) for count in counts if count)


def for_each_image(labels, patches):
    """The cost of each image, not averaged."""
    return [-patches * log(labels.count(label) / len(labels)) for label in labels]


def by_unique(labels, patches):
    """With the counts of numpy: right."""
    _, counts = np.unique(labels, return_counts=True)
    return patches * -(counts / counts.sum() * np.log(counts / counts.sum())).sum()


def by_logits(labels, patches):
    """The logarithms of the counts as logits, and PyTorch's cross-entropy: right."""
    people, index = torch.unique(torch.tensor(labels), return_inverse=True)
    logits = torch.bincount(index, minlength=len(people)).double().log().expand(len(labels), -1)
    return patches * F.cross_entropy(logits, index)


WRONG = {
    "blind_loss": (
        all_people_alike,
        largest_number,
        in_bits,
        base_ten,
        summed_over_images,
        counts_images,
        most_frequent_costs,
        always_the_most_frequent,
        nothing,
        wrong_guesses,
        log_of_the_mean,
        neighbours_only,
        numbers_as_indices,
        for_each_image,
    ),
}
OTHER_RIGHT = {"blind_loss": (by_unique, by_logits)}
