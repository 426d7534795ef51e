"""Wrong answers to the exercises of chapters 1 to 4, each a slip in one line of the solution."""

from tests.solutions import Patch

PATCHES: dict[str, tuple[Patch, ...]] = {
    "average_precision": (
        Patch(
            "forgets_to_divide",
            "sum(i / rank for i, rank in enumerate(ranks, start=1)) / len(ranks)",
            "sum((i / rank for i, rank in enumerate(ranks, start=1)))",
            "Precisions are summed:",
        ),
        Patch("keeps_only_junk", "not left_out", "left_out", "it finds no match where one is left."),
        Patch("counts_from_zero", "enumerate(ranks, start=1)", "enumerate(ranks)", "Where does your count begin?"),
    ),
    "find_leak": (
        Patch("forgets_the_gallery", "query + gallery", "query", "Is the gallery not part of your test?"),
        Patch("forgets_the_queries", "query + gallery", "gallery", "Do you look at the queries?"),
        Patch(
            "pictures_of_train_only",
            "(a & b) | (a & c) | (b & c)",
            "a & b | a & c",
            "A query's own pixels lie in the gallery under another name,",
        ),
        Patch("pictures_of_test_only", "(a & b) | (a & c) | (b & c)", "b & c", "under another name."),
        Patch(
            "pictures_in_all_three",
            "(a & b) | (a & c) | (b & c)",
            "(a & b | a & c) & (b & c)",
            "You report a picture only if it is in all three splits.",
        ),
        Patch(
            "counts_distractors",
            "people = {row[1] for row in train} & {row[1] for row in test} - {-1, 0}",
            "people = {row[1] for row in train} & {row[1] for row in test} - {-1, -1}",
            "Leave it out too.",
        ),
        Patch(
            "counts_junk",
            "people = {row[1] for row in train} & {row[1] for row in test} - {-1, 0}",
            "people = {row[1] for row in train} & {row[1] for row in test} - {-2, 0}",
            "Junk in training and in the gallery:",
        ),
    ),
    "choose_queries": (
        Patch("lone_people_too", "cameras[pid]", "cameras", "so this query can never have a match."),
        Patch("distractors_too", "pid > 0", "pid >= 0", "Distractors are different people:"),
    ),
    "unit_distances": (
        Patch(
            "below_zero",
            "(2 - 2 * cosines).clamp(min=0)",
            "2 - 2 * cosines",
            "rounding gives a square slightly under zero,",
        ),
        Patch(
            "two_dimensions_only",
            "gallery.transpose(-1, -2)",
            "gallery.transpose(1, -2)",
            "Which axes do you swap?",
        ),
        Patch(
            "two_minus_cosine", "2 * cosines", "cosines", "Draw the three cases and square the length of the line betwe"
        ),
    ),
    "stripes": (
        Patch("no_width", "theta[:, 0, 0] = 1", "pass", "Which scale leaves x as it is?"),
        Patch("full_height", "1 / patches", "1", "did you also shrink them?"),
        Patch("inverse_scale", "1 / patches", "patches", "so a low stripe has a small scale."),
        Patch(
            "whole_range_as_scale", "theta[:, 1, 1] = 1 / patches", "theta[:, 1, 1] = 2 / patches", "before the scale."
        ),
        Patch(
            "bottom_first",
            "2 * torch.arange(patches) + 1 - patches",
            "patches - (2 * torch.arange(patches) + 1)",
            "Your first stripe is the lowest.",
        ),
        Patch(
            "upper_edge",
            "2 * torch.arange(patches) + 1",
            "2 * torch.arange(patches)",
            "The shift moves the middle of a patch.",
        ),
    ),
    "place": (
        Patch(
            "always_centres",
            "share * (cells - 1) if align_corners else share * cells - 0.5",
            "share * (cells - 1)",
            "align_corners changes nothing in your answer.",
        ),
        Patch(
            "always_edges",
            "share * (cells - 1) if align_corners else share * cells - 0.5",
            "share * cells - 0.5",
            "align_corners changes nothing in your answer.",
        ),
        Patch(
            "as_many_steps_as_cells",
            "return share * (cells - 1) if align_corners else share * cells - 0.5",
            "return share * (cells - 0) if align_corners else share * cells - 0.5",
            "How many steps are there from the first centre to the last?",
        ),
        Patch(
            "counted_from_the_edge",
            "share * cells - 0.5",
            "share * cells",
            "Places count from the centre of the first cell.",
        ),
        Patch(
            "half_the_other_way",
            "share * cells - 0.5",
            "share * cells + 0.5",
            "The outer edge lies before the first centre,",
        ),
    ),
}
