"""The studies: for each a question, its arms, and the seeds on which they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paullite.config import AdaptConfig

from .settings import STUDY, Changes

TEN, FIVE = tuple(range(10)), tuple(range(5))


@dataclass(frozen=True)
class Arm:
    """What is tried: a title for tables, and what differs from `Settings` as they are."""

    title: str
    changes: Changes


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


PAUL = Arm("PAUL", {})
DIRECT = Arm("direct transfer", {"method": "direct"})
BATCH_NORM = Arm("batch-norm statistics only", {"method": "batch_norm"})
CAMERA_MEAN = Arm("direct transfer, camera mean subtracted", {"method": "direct", "control": "camera_mean"})
BATCH_NORM_CAMERA_MEAN = Arm(
    "batch-norm statistics, camera mean subtracted", {"method": "batch_norm", "control": "camera_mean"}
)
BY_CAMERA = Arm("batch-norm statistics by camera", {"method": "direct", "control": "batch_norm_by_camera"})
PAUL_CAMERA_MEAN = Arm("PAUL, camera mean subtracted", {"control": "camera_mean"})
ALL_CONTROLS = {
    "direct": DIRECT,
    "camera_mean": CAMERA_MEAN,
    "batch_norm": BATCH_NORM,
    "batch_norm_camera_mean": BATCH_NORM_CAMERA_MEAN,
    "batch_norm_by_camera": BY_CAMERA,
}
INSTANCE = {"temperature": 0.5, "lr_factor": 0.1}  # how they were chosen stands in `paulbook.studies.rivals`
CLUSTER = {"eps": 0.5, "min_samples": 4, "neighbours": 8, "temperature": 0.05, "lr_factor": 0.03}
FULL = {"adapt": {"ipfl_weight": 1.0}}  # IPFL as heavy as in the reference, where its settings can show


TWO_CONTROLS = {"direct": DIRECT, "batch_norm": BATCH_NORM}


def with_controls(arms: Mapping[str, Arm], controls: Mapping[str, Arm] = TWO_CONTROLS) -> dict[str, Arm]:
    """Beside every arm, what the same world gives with each control: if not said, direct transfer and batch norm."""
    found: dict[str, Arm] = {}
    for name, arm in arms.items():
        found[name] = arm
        world = {section: change for section, change in arm.changes.items() if section != "adapt"}
        for kind, control in controls.items():
            found[f"{name}/{kind}"] = Arm(f"{arm.title}: {control.title}", {**world, **control.changes})
    return found


def passage_arms(*shares: float) -> dict[str, Arm]:
    """PAUL in worlds where so much of what varies belongs to the passages, in the source as well as in the target."""
    return {
        f"share={share:g}": Arm(
            f"share of passages {share:g}", {"source": {"passage_share": share}, "target": {"passage_share": share}}
        )
        for share in shares
    }


def adapt_arms(field: str, label: str, *values: Any, below: Changes | None = None) -> dict[str, Arm]:
    """One arm for each value of a setting of phase 2."""
    shared = dict((below or {}).get("adapt", {}))
    return {f"{field}={v}": Arm(f"{label} = {v}", {"adapt": {**shared, field: v}}) for v in values}


def source_arms(*people: int) -> dict[str, Arm]:
    """Fewer people in the source, and as many steps: the epochs grow as the people shrink."""
    first, end, decay = *STUDY.pretrain.generator_epochs, STUDY.pretrain.decay_epoch
    arms = {}
    for count in people:
        longer = 80 // count
        schedule = {
            "epochs": STUDY.pretrain.epochs * longer,
            "generator_epochs": (first * longer, end * longer),
            "decay_epoch": decay * longer,
        }
        title = f"{count} labelled people"
        arms[f"source={count}"] = Arm(title, {"source": {"identities": count}, "pretrain": schedule})
    return arms


def reference_arms() -> dict[str, Arm]:
    """The choices of the reference implementation, together and one by one."""
    pull, gradient = {"no_negative": "pull"}, {"generator_gradient": True}
    return {
        "default": Arm("default", {}),
        "reference": Arm(
            "reference",
            {"pretrain": {"generator": "reference", "positive_may_be_anchor": True}, "adapt": pull | gradient},
        ),
        "pull": Arm("default, no negative: pull", {"adapt": pull}),
        "gradient": Arm("default, gradient through theta", {"adapt": gradient}),
    }


_NO_CHANGE: dict[str, Any] = {"jitter": (0.0, 0.0, 0.0, 0.0), "rotation": 0.0, "crop": (1.0, 1.0)}
_PLAIN = AdaptConfig()


def surrogate(*kept: str) -> Changes:
    """Only some of the surrogate's transforms, at the reference's strength; the flip always stays."""
    return {"adapt": {**FULL["adapt"], **_NO_CHANGE, **{name: getattr(_PLAIN, name) for name in kept}}}


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
            "paul": Arm("cyclic ranking, IPFL weight 0.3", {}),
            "hardest": Arm("hardest negative, IPFL weight 0.3", {"adapt": {"nearest": 1}}),
            "heavy": Arm("cyclic ranking, IPFL weight 1", FULL),
            "heavy_hardest": Arm("hardest negative, IPFL weight 1", {"adapt": {**FULL["adapt"], "nearest": 1}}),
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
            "paul": Arm("K = 20, s = 4, memory momentum 0.1", {}),
            **adapt_arms("k", "K", 1, 80, 320),
            **adapt_arms("scale", "s", 1.0, 15.0),
            **adapt_arms("memory_momentum", "memory momentum", 0.02, 1.0),
            "heavy": Arm("IPFL weight 1: margin 1, list of 3", FULL),
            **adapt_arms("margin", "IPFL weight 1: margin", 0.5, 2.0, below=FULL),
            **adapt_arms("nearest", "IPFL weight 1: list of", 2, 6, below=FULL),
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
        "Which of the surrogate's transforms helps IPFL (weight 1)?",
        {
            "heavy": Arm("all three", FULL),
            "none": Arm("none, only the flip", surrogate()),
            "jitter": Arm("colour jitter only", surrogate("jitter")),
            "rotation": Arm("rotation only", surrogate("rotation")),
            "crop": Arm("crop only", surrogate("crop")),
        },
        FIVE,
        base="heavy",
        primary=("none", "heavy"),
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
            "pull": Arm("IPFL weight 5", {"adapt": {"ipfl_weight": 5.0}}),
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
