"""The studies: for each a question, its arms, and the seeds on which they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .arms import (
    ALL_CONTROLS,
    BATCH_NORM,
    CLUSTER,
    DIRECT,
    HEAVY,
    INSTANCE,
    PAUL,
    PAUL_CAMERA_MEAN,
    Arm,
    adapt_arms,
    passage_arms,
    reference_arms,
    source_arms,
    surrogate,
    with_controls,
)  # fmt: skip
from .settings import STUDY

TEN, FIVE = tuple(range(10)), tuple(range(5))
WEIGHT = f"IPFL weight {STUDY.adapt.ipfl_weight:g}"


@dataclass(frozen=True)
class Study:
    """A question and the arms that answer it.

    Attributes:
        question: in one sentence.
        arms: by name.
        seeds: on which every arm runs.
        base: the arm that the others are compared with.
        primary: the comparison that answers the question, the arm to subtract first. It and ``score`` are named before
            a study runs, so that neither is picked by its result.
        score: the one that decides. mAP looks at the whole ranking, so it varies less by chance than rank-1.
        more: comparisons besides those with the base and with the controls.
        apart: whether arms live in worlds of their own, and so are compared with the controls there alone.
    """

    question: str
    arms: Mapping[str, Arm]
    seeds: tuple[int, ...]
    base: str = "paul"
    primary: tuple[str, str] | None = None
    score: str = "map_step"
    more: tuple[tuple[str, str], ...] = ()
    apart: bool = False


STUDIES: dict[str, Study] = {
    "ablation": Study(
        "What does each part of PAUL add to the controls?",
        {
            **ALL_CONTROLS,
            "pedal": Arm("PEDAL only", {"adapt": {"ipfl_weight": 0.0}}),
            "image": Arm("PEDAL only, on whole images", {"unit": "image", "adapt": {"ipfl_weight": 0.0}}),
            "ipfl": Arm("IPFL only", {"adapt": {"pedal_weight": 0.0}}),
            "paul": Arm("PAUL: both", {}),
            "paul_camera_mean": PAUL_CAMERA_MEAN,
            "supervised": Arm("trained with the target's labels", {"method": "supervised"}),
        },
        TEN,
        primary=("batch_norm_camera_mean", "paul"),
        more=(("image", "pedal"),),
    ),
    "passages": Study(
        "How much of what varies has to belong to the passages before the method is needed?",
        with_controls(
            {**passage_arms(0.0, 0.4), "paul": Arm("share of passages 0.8", {}), **passage_arms(1.0)}, ALL_CONTROLS
        ),
        FIVE,
        primary=("paul/batch_norm_camera_mean", "paul"),
        apart=True,
    ),
    "kinds": Study(
        "Do patches that learn their places beat patches that do not?",
        with_controls(
            {
                "paul": Arm("learned patches", {}),
                "stripes": Arm("fixed stripes", {"patches": "stripes"}),
                "random": Arm("random boxes", {"patches": "random"}),
            }
        ),
        TEN,
        primary=("stripes", "paul"),
    ),
    "negatives": Study(
        "Does cyclic ranking find better negatives than taking the nearest?",
        {
            "paul": Arm(f"cyclic ranking, {WEIGHT}", {}),
            "hardest": Arm(f"nearest negative, {WEIGHT}", {"adapt": {"nearest": 1}}),
            "heavy": Arm("cyclic ranking, IPFL weight 5", HEAVY),
            "heavy_hardest": Arm("nearest negative, IPFL weight 5", {"adapt": {**HEAVY["adapt"], "nearest": 1}}),
        },
        TEN,
        primary=("hardest", "paul"),
        more=(("heavy_hardest", "heavy"),),
    ),
    "rivals": Study(
        "Does PAUL beat other unlabelled methods on the same backbone and budget?",
        {
            "direct": DIRECT,
            "batch_norm": BATCH_NORM,
            "paul": PAUL,
            "instance": Arm("image-level instance discrimination", {"method": "instance", "rival": INSTANCE}),
            "cluster": Arm("DBSCAN pseudo-labels, cluster memory", {"method": "cluster", "rival": CLUSTER}),
        },
        TEN,
        primary=("cluster", "paul"),
    ),
    "reference": Study(
        "Do our defaults differ from the reference implementation's choices?",
        reference_arms(),
        FIVE,
        base="default",
        primary=("reference", "default"),
    ),
    "patches": Study(
        "How many patches?",
        with_controls(
            {
                "P=1": Arm("P = 1", {"pretrain": {"patches": 1}}),
                "P=2": Arm("P = 2", {"pretrain": {"patches": 2}}),
                "P=4": Arm("P = 4", {"pretrain": {"patches": 4}}),
                "paul": Arm("P = 6", {}),
                "P=8": Arm("P = 8", {"pretrain": {"patches": 8}}),
            }
        ),
        TEN,
        primary=("P=1", "paul"),
    ),
    "settings": Study(
        "How much do the numbers in the losses matter?",
        {
            "paul": Arm("K = 20, s = 2, memory momentum 0.1, margin 1, list of 3", {}),
            **adapt_arms("k", "K", 1, 80, 320),
            **adapt_arms("scale", "s", 1.0, 15.0),
            **adapt_arms("memory_momentum", "memory momentum", 0.02, 1.0),
            **adapt_arms("margin", "margin", 0.5, 2.0),
            **adapt_arms("nearest", "list of", 2, 6),
        },
        FIVE,
        primary=("k=1", "paul"),
    ),
    "shift": Study(
        "How far may the target's cameras be from the source's?",
        with_controls(
            {
                "shift=0": Arm("camera shift 0", {"target": {"camera_shift": 0.0}}),
                "shift=0.5": Arm("camera shift 0.5", {"target": {"camera_shift": 0.5}}),
                "paul": Arm("camera shift 1", {}),
                "shift=1.5": Arm("camera shift 1.5", {"target": {"camera_shift": 1.5}}),
                "shift=2": Arm("camera shift 2", {"target": {"camera_shift": 2.0}}),
            }
        ),
        FIVE,
        primary=("shift=1.5/batch_norm", "shift=1.5"),
        apart=True,
    ),
    "labels": Study(
        "How many labelled people does the source need?",
        with_controls(
            {
                "none": Arm("no source: untrained network", {"pretrain": {"epochs": 0}}),
                **source_arms(10, 20),
                "paul": Arm("80 labelled people", {}),
            }
        ),
        FIVE,
        primary=("source=20", "paul"),
    ),
    "surrogates": Study(
        "Which of the surrogate's transforms helps IPFL?",
        {
            "paul": Arm("all three", {}),
            "none": Arm("none, only the flip", surrogate()),
            "jitter": Arm("colour jitter only", surrogate("jitter")),
            "rotation": Arm("rotation only", surrogate("rotation")),
            "crop": Arm("crop only", surrogate("crop")),
        },
        FIVE,
        primary=("none", "paul"),
    ),
    "harm": Study(
        "Where does PAUL hurt?",
        {
            "paul": PAUL,
            "direct": DIRECT,
            "batch_norm": BATCH_NORM,
            **with_controls({"few": Arm("target of 8 people", {"target": {"identities": 8}})}),
            "fast": Arm("learning rate 0.6", {"adapt": {"lr": 0.6}}),
            "everyone": Arm("K = 600, nearly everyone", {"adapt": {"k": 600}}),
            "sharp": Arm("K = 1, s = 60", {"adapt": {"k": 1, "scale": 60.0}}),
            "pull": Arm("IPFL weight 20", {"adapt": {"ipfl_weight": 20.0}}),
        },
        FIVE,
        primary=("few/batch_norm", "few"),
        apart=True,
    ),
}
"""Every study by name, in the order in which ``make experiments`` runs them."""

FAILURES = Study(
    "Which queries are found worst, and what do wrong first places share with them?",
    {"direct": DIRECT, "batch_norm": BATCH_NORM, "paul": PAUL},
    FIVE,
    primary=("batch_norm", "paul"),
)
"""What `paulbook.studies.groups` looks at again, group by group."""

ALL = {**STUDIES, "failures": FAILURES}
