"""Wrong answers to the exercises of the assignments, each a slip in one line of the solution."""

from tests.solutions import Patch

PATCHES: dict[str, tuple[Patch, ...]] = {
    "rank1_by_camera": (
        Patch("counts", "sum(hits) / len(hits)", "sum(hits)", "Divide by the camera's queries."),
        Patch("share_of_misses", "rank == 1", "rank != 1", "That is the share that is not found."),
        Patch(
            "ranks_from_zero",
            "groups.setdefault(camid, []).append(rank == 1)",
            "groups.setdefault(camid, []).append(rank == 0)",
            "First matches of one camera at ranks",
        ),
    ),
    "split_people": (Patch("everybody_who_can", ":tests", ":", "stop at the number that is asked for."),),
    "overlap": (
        Patch(
            "intersection",
            "shared / (float(4 * half.prod(1).sum()) - shared)",
            "shared",
            "That is the area they share.",
        ),
        Patch(
            "of_both_areas",
            "float(4 * half.prod(1).sum()) - shared",
            "float(4 * half.prod(1).sum())",
            "what both have counts once.",
        ),
        Patch(
            "never_clamped",
            "sides.clamp(min=0)",
            "sides",
            "Two patches with a gap between them share less than nothing",
        ),
    ),
    "patch_purity": (
        Patch(
            "own_counts",
            "distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)",
            "pass",
            "An image is its own neighbour.",
        ),
        Patch(
            "by_image",
            "return (pids[near] == pids[:, None]).float().mean((1, 2))",
            "return (pids[near] == pids[:, None]).float().mean((0, 2))",
            "and keep the patches.",
        ),
    ),
    "choose_and_report": (
        Patch(
            "all_final_scores",
            "fmean(whole[best][seed] for seed in final)",
            "(whole[best][seed] for seed in final)",
            "The mean over the final seeds is asked for.",
        ),
    ),
}
