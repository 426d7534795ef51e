"""Wrong answers to the exercises of chapter 1, each another misconception. Written before the properties."""

from collections.abc import Sequence

import numpy as np
import torch

from paullite.evaluation import average_precision as library_average_precision

Row = Sequence[bool]


def _kept(matches: Row, junk: Row) -> list[bool]:
    return [bool(m) for m, j in zip(matches, junk, strict=True) if not j]


def _ranks(kept: Row) -> list[int]:
    return [rank for rank, match in enumerate(kept, start=1) if match]


def ignores_junk(matches: Row, junk: Row) -> float:
    """Never looks at junk: a left-out picture of the person counts as found."""
    ranks = _ranks(matches)
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def divides_by_all_matches(matches: Row, junk: Row) -> float:
    """Takes junk out of the list, but divides by the matches of the whole list."""
    ranks = _ranks(_kept(matches, junk))
    return sum(i / r for i, r in enumerate(ranks, start=1)) / sum(matches)


def junk_keeps_its_rank(matches: Row, junk: Row) -> float:
    """Junk is no match, but still takes up a place."""
    ranks = _ranks([m and not j for m, j in zip(matches, junk, strict=True)])
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def keeps_only_junk_with_a_guard(matches: Row, junk: Row) -> float:
    """The mask the wrong way round, and 0 for a list in which nothing is found."""
    kept = [match for match, left_out in zip(matches, junk, strict=True) if left_out]
    ranks = _ranks(kept)
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks) if ranks else 0.0


def skips_while_deleting(matches: Row, junk: Row) -> float:
    """Deletes while it walks forward, so that of two neighbours only one goes."""
    left, flags = list(matches), list(junk)
    for place in range(len(junk)):
        if place < len(flags) and flags[place]:
            del left[place], flags[place]
    ranks = _ranks(left)
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def eats_its_input(matches: list[bool], junk: list[bool]) -> float:
    """Deletes from the lists of the caller."""
    for place in reversed(range(len(junk))):
        if junk[place]:
            del matches[place], junk[place]
    ranks = _ranks(matches)
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def divides_by_length(matches: Row, junk: Row) -> float:
    """Divides by the places of the list in place of the matches."""
    kept = _kept(matches, junk)
    return sum(i / r for i, r in enumerate(_ranks(kept), start=1)) / len(kept)


def precision_at_every_place(matches: Row, junk: Row) -> float:
    """Averages the precision over all places, not only over those of matches."""
    kept = np.array(_kept(matches, junk))
    return float((kept.cumsum() / np.arange(1, len(kept) + 1)).mean())


def first_match_only(matches: Row, junk: Row) -> float:
    """One over the rank of the first match."""
    return 1 / _ranks(_kept(matches, junk))[0]


def last_match_only(matches: Row, junk: Row) -> float:
    """n over the rank of the last match: that is INP."""
    ranks = _ranks(_kept(matches, junk))
    return len(ranks) / ranks[-1]


def one_over_rank(matches: Row, junk: Row) -> float:
    """Mean of 1/r: forgets how many were found so far."""
    return float(np.mean([1 / r for r in _ranks(_kept(matches, junk))]))


def trapezoid(matches: Row, junk: Row) -> float:
    """The other definition."""
    ranks = _ranks(_kept(matches, junk))
    before = [(i - 1) / (r - 1) if r > 1 else 1.0 for i, r in enumerate(ranks, start=1)]
    return float(np.mean([(i / r + b) / 2 for (i, r), b in zip(enumerate(ranks, start=1), before, strict=True)]))


def ranks_from_zero(matches: Row, junk: Row) -> float:
    """The first place has rank 0."""
    ranks = [r - 1 for r in _ranks(_kept(matches, junk))]
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def rank_one(matches: Row, junk: Row) -> float:
    """Rank-1: whether the first place is right."""
    return float(_kept(matches, junk)[0])


def percent(matches: Row, junk: Row) -> float:
    """Right, in percent."""
    ranks = _ranks(_kept(matches, junk))
    return 100 * sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def only_the_first_ten(matches: Row, junk: Row) -> float:
    """Looks at ten places only."""
    ranks = _ranks(_kept(matches, junk)[:10])
    return sum(i / r for i, r in enumerate(ranks, start=1)) / max(1, len(ranks))


def list_of_precisions(matches: Row, junk: Row) -> list[float]:
    """Does not take the mean."""
    return [i / r for i, r in enumerate(_ranks(_kept(matches, junk)), start=1)]


def turns_a_list_over(matches: Row, junk: Row) -> float:
    """Uses ~ as on the chapter's arrays, but junk is a list."""
    return by_arrays(np.array(matches)[~junk], [])  # type: ignore[operator]


def picks_from_a_list(matches: Row, junk: Row) -> float:
    """Makes an array of junk only."""
    return by_arrays(matches[~np.array(junk)], [])  # type: ignore[call-overload]


def picks_by_a_list(matches: Row, junk: Row) -> float:
    """Indexes a list by a list."""
    return by_arrays(matches[[not j for j in junk]], [])  # type: ignore[call-overload]


def keeps_matches_that_are_junk(matches: Row, junk: Row) -> float:
    """Leaves junk out only where it is no match."""
    ranks = _ranks([bool(m) for m, j in zip(matches, junk, strict=True) if m or not j])
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def booleans_for_ranks(matches: Row, junk: Row) -> float:
    """Gives the library's average_precision marks in place of ranks."""
    return library_average_precision(np.array(_kept(matches, junk)))


WRONG = {
    "average_precision": (
        turns_a_list_over,
        picks_from_a_list,
        picks_by_a_list,
        keeps_matches_that_are_junk,
        booleans_for_ranks,
        ignores_junk,
        divides_by_all_matches,
        junk_keeps_its_rank,
        keeps_only_junk_with_a_guard,
        skips_while_deleting,
        eats_its_input,
        divides_by_length,
        precision_at_every_place,
        first_match_only,
        last_match_only,
        one_over_rank,
        trapezoid,
        ranks_from_zero,
        rank_one,
        percent,
        only_the_first_ten,
        list_of_precisions,
    ),
    "late_ranking": (
        [1, 0, 1],  # the first place is right
        [0, 0, 0, 1],  # too late
        [0, 0, 0],  # nothing to find
        [],
        [2, 3],  # ranks in place of marks
        [-1, 1, 1],  # junk in a list that has none
        [0, 0.5, 1],  # similarities
        [[0, 1], [0, 1]],  # two lists
        {0, 1},  # no order
        "011",  # text
        0.5,  # an AP
        lambda: [0, 1],  # a function
        True,  # one mark
        None,
        ["no", "yes"],  # marks in words
    ),
}


def by_arrays(matches: Row, junk: Row) -> np.floating:
    """Precision at every place, then those of the matches."""
    kept = np.asarray(matches)[~np.asarray(junk)]
    precision = np.cumsum(kept) / np.arange(1, len(kept) + 1)
    return precision[kept].mean()


def by_tensors(matches: Row, junk: Row) -> torch.Tensor:
    """The same in torch."""
    kept = torch.tensor(matches)[torch.tensor(junk).logical_not()]
    ranks = kept.nonzero().squeeze(1) + 1
    return (torch.arange(1, len(ranks) + 1) / ranks).mean()


def in_one_walk(matches: Row, junk: Row) -> float:
    """One pass that counts places and matches."""
    place, found, total = 0, 0, 0.0
    for match, left_out in zip(matches, junk, strict=True):
        if left_out:
            continue
        place += 1
        if match:
            found += 1
            total += found / place
    return total / found


def by_the_library(matches: Row, junk: Row) -> float:
    """The ranks of the matches, given to the library's own function."""
    return library_average_precision(np.flatnonzero(_kept(matches, junk)) + 1)


OTHER_RIGHT = {
    "average_precision": (by_arrays, by_tensors, in_one_walk, by_the_library),
    "late_ranking": (
        [0, 1],
        [False, True, True, False],
        (0, 1, 0, 1),
        np.array([0, 0, 1, 1, 1, 1]),
        torch.tensor([False, True]),
        [0.0, 1.0],
    ),
}

WRONG["comparable_pairs"] = (
    None,
    "BC",  # text in place of a list
    7,
    [],
    [1, 2],  # numbers for letters
    ["BCDE"],  # four rows in one entry
    ["BC", "BH"],  # a row that there is not
    ["BB"],
    ["AB"],  # trapezoid and step
    ["AC"],
    ["EF"],  # re-ranked or not
    ["EG"],  # two test sets
    ["FG"],
    ["BC"],  # only the pair with equal labels
    ["BC", "DE"],  # each row occurs, four pairs are missing
    ["BC", "BD", "CD"],  # the supervised baseline is left out
)
OTHER_RIGHT["comparable_pairs"] = (
    ["CB", "DB", "EB", "DC", "EC", "ED"],
    ("bc", "bd", "be", "cd", "ce", "de"),
    {("B", "C"), ("B", "D"), ("B", "E"), ("C", "D"), ("C", "E"), ("D", "E")},
    ["BC", "BC", "BD", "BE", "CD", "CE", "DE"],
)
