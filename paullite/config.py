"""Every setting of the two phases, with its meaning, unit and source; and the presets.

Sources: *reference* is the published implementation of PAUL; *ours* is our choice. A preset ``NAME-reference`` does
what the reference does; ``NAME`` is what we recommend.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from .errors import InputError
from .files import expanded
from .ranges import Count, Natural, NonNegative, Positive, PositiveShare, Range, Share, checks_of


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Settings that both phases share. Every value is checked, and brought to its type, when the settings are made."""

    seed: Natural = 0
    """Every random choice follows from it."""
    epochs: Natural = 60
    """Passes over the training images. Reference: 60."""
    momentum: Share = 0.9
    """Momentum of SGD. Reference: 0.9."""
    weight_decay: NonNegative = 1e-4
    """Weight decay of SGD. Reference: 1e-4."""
    decay: NonNegative = 0.1
    """Factor on all learning rates from the decay epoch on. Reference: 0.1."""
    workers: Natural = 2
    """Processes that read images; 0 reads in the training process. Changes no pixel."""
    device: str = "auto"
    """Where to compute: auto (a GPU if there is one), cpu, mps, cuda, or one of several GPUs as in cuda:1."""
    precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """Of the forward pass; "no" is float32. "auto": bf16 where a GPU has it, fp16 on other GPUs, no on a CPU."""
    compile: bool = False
    """Hand the network to torch.compile: a minute or more at the start, quicker steps afterwards."""
    bn_splits: Count = 1
    """Groups of a batch that each process normalises apart; 2 in one process repeat two processes. Reference: 1."""
    deterministic: bool = False
    """Ask torch for deterministic algorithms only; the same seed then gives the same weights on a GPU too."""
    evaluate_every: Natural = 10
    """Epochs between two looks of the judge; 0 for none. It never changes what is learned."""
    progress: bool = True
    """Show a progress bar."""
    output: str | None = None
    """Folder for checkpoints, history.csv, curves.png and the last network; none: nothing is written."""
    save_minutes: NonNegative = 10.0
    """Minutes between two checkpoints inside an epoch; the end of an epoch writes one, too. 0: only there."""
    image_memory: Natural = 1024
    """MiB that the training images may take on the device, as bytes; a larger set is read in every epoch."""
    dry_step: bool = True
    """Before training, take one step that changes nothing: prints memory and time, and names a batch that fits."""

    def __post_init__(self) -> None:
        """Check every field: a wrong type, an unknown choice or device, a number out of range is an `InputError`."""
        for name, check in checks_of(type(self)).items():
            object.__setattr__(self, name, check(f"{name} = {getattr(self, name)!r}", getattr(self, name)))
        for name in {"output", "weights"} & vars(self).keys():
            path = getattr(self, name)
            object.__setattr__(self, name, str(expanded(path)) if (path or "").startswith("~") else path)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise InputError(f"found device = {self.device!r}", "expected auto, cpu, mps, cuda or cuda:1 and the like")

    @classmethod
    def expect(cls, given: object) -> None:
        """Raises an `InputError` if something else than settings of this phase was given, for instance a preset."""
        if not isinstance(given, cls):
            do = f'give PRESETS["market1501"].{cls.__name__.removesuffix("Config").lower()}'
            raise InputError(f"found a {type(given).__name__} as settings", f"expected a {cls.__name__}", do)


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(RunConfig):
    """Phase 1: learn patches and features from a labelled source."""

    backbone: str = "resnet50.tv_in1k"
    """Any timm name. Reference: ResNet-50 with torchvision's first ImageNet weights."""
    backbone_options: dict[str, str] = field(default_factory=dict)
    """More arguments of timm.create_model, as in: pad_type same."""
    pretrained: bool = True
    """Start from timm's weights, fetched from the hub."""
    weights: str | None = None
    """File with the backbone's weights, instead of the hub."""
    mean: tuple[Share, Share, Share] | None = None
    """Mean of the images that the weights expect, per colour, in 0..1; none: what timm says of the name."""
    std: tuple[Positive, Positive, Positive] | None = None
    """Standard deviation of these images, per colour, in 0..1; none: what timm says of the name."""
    size: tuple[Count, Count] = (384, 128)
    """Height and width of the images, in pixels. Reference: 384 and 128."""
    patches: Count = 6
    """P, number of patches. Reference: 6 only; any number works here."""
    feature_dim: Count = 256
    """D, size of a patch feature. Reference: 256."""
    embedding_dim: Count = 128
    """Size of one patch's embedding. Reference: 128."""
    generator: Literal["light", "reference"] = "light"
    """Patch generation network: ours for under 1 % of the work, or the reference's."""
    batch: Count = 48
    """Anchors in a batch; each brings one more image of the same person. Reference: 48."""
    lr_backbone: NonNegative = 0.01
    """Learning rate of the backbone. Reference: 0.01."""
    lr_heads: NonNegative = 0.1
    """Learning rate of reductions, embeddings and classifiers. Reference: 0.1."""
    lr_generator: NonNegative = 1e-5
    """Learning rate of the patch generation network while it learns. Reference: 1e-5."""
    generator_epochs: tuple[Natural, Natural] = (25, 40)
    """First epoch, from 0, in which it learns, and first in which it does so no more. Reference: 25, 40."""
    decay_epoch: Natural = 40
    """First epoch, counted from 0, with decayed learning rates. Reference: 40."""
    triplet_weight: NonNegative = 0.1
    """Weight of the triplet loss beside the cross-entropies. Reference: 0.1."""
    triplet_margin: NonNegative = 1.0
    """Margin of the triplet loss, in units of distance on the unit sphere. Reference: 1.0."""
    triplet_positive: Literal["nearest", "hardest"] = "nearest"
    """Which image of the same person is pulled. Reference: the nearest."""
    positive_may_be_anchor: bool = False
    """Let the second image of a pair be the anchor itself (reference); else only if a person has no other."""

    def __post_init__(self) -> None:
        """Check every field, and that the generator's epochs are in order."""
        super().__post_init__()
        _in_order("generator_epochs", *self.generator_epochs)


@dataclass(frozen=True, kw_only=True)
class AdaptConfig(RunConfig):
    """Phase 2: learn from the target's images alone."""

    batch: Count = 42
    """Images in a batch; each brings its surrogate positive. Reference: 42 for Market-1501, 40 for DukeMTMC."""
    lr: NonNegative = 1e-4
    """Learning rate of backbone and reductions. Reference: 1e-4."""
    decay_epoch: Natural = 50
    """First epoch, counted from 0, with a decayed learning rate. Reference: 50."""
    scale: Positive = 15.0
    """s of PEDAL, per squared distance. Reference: 15 for Market-1501, 5 for DukeMTMC."""
    k: Count = 10
    """K of PEDAL, nearest patches that are pulled. Reference: 10."""
    memory_momentum: PositiveShare = 0.1
    """Share of the new feature in the patch memory. Reference: 0.1."""
    memory_block: Natural = 0
    """Rows of the patch memory that PEDAL looks at together, for memories of millions of patches; 0: all at once."""
    memory_mode: Literal["train", "eval"] = "train"
    """How the memory is first filled: train uses (and moves) batch statistics as the reference does, eval does not."""
    center_momentum: PositiveShare = 0.1
    """Share of the new embedding in the image centers. Reference: 0.1."""
    margin: NonNegative = 2.0
    """Margin of IPFL, in units of distance between image embeddings. Reference: 2.0."""
    nearest: Count = 3
    """Size of a center's ranking list, itself counted, so 3 is r = 2. Reference: 3."""
    max_candidates: Count = 15
    """Candidates for the hard negative that are tried. Reference: 15."""
    no_negative: Literal["skip", "pull"] = "skip"
    """An anchor without a hard negative: left out, or pulled all the same (reference)."""
    image_embedding: Literal["cosines", "features"] = "cosines"
    """What IPFL compares: cosines to the frozen embedding rows (reference), or the patch features side by side."""
    pedal_weight: NonNegative = 2.0
    """Weight of PEDAL in the total loss. Reference: 2.0."""
    ipfl_weight: NonNegative = 1.0
    """Weight of IPFL in the total loss. Reference: 1.0."""
    generator_gradient: bool = False
    """Let the gradient through the patches' places reach the backbone (reference), though the generator rests."""
    jitter: tuple[Share, Share, Share, Annotated[float, Range(0, 0.5)]] = (0.2, 0.2, 0.2, 0.1)
    """Surrogate: change of brightness, contrast, saturation (shares), hue (turns), at most. Reference: .2 .2 .2 .1."""
    rotation: Annotated[float, Range(0, 180)] = 10.0
    """Surrogate: largest rotation to either side, in degrees. Reference: 10.0."""
    crop: tuple[PositiveShare, PositiveShare] = (0.70, 0.95)
    """Surrogate: smallest and largest share of the area that is kept. Reference: 0.70, 0.95."""
    crop_form: Annotated[float, Range(1)] = 1.25
    """Surrogate: largest factor between the form (width over height) of what is kept and that of ``size``. Ours."""

    def __post_init__(self) -> None:
        """Check every field, and that the crop's ends are in order."""
        super().__post_init__()
        _in_order("crop", *self.crop)
        if self.memory_block == 1:
            raise InputError("found memory_block = 1", "expected 0 (all rows at once), or 2 or more", "use 16384")


def _in_order(name: str, first: float, last: float) -> None:
    if first > last:
        raise InputError(f"found {name} = {first}, {last}", "expected the smaller one first")


@dataclass(frozen=True)
class Preset:
    """The settings of both phases for one data set."""

    pretrain: PretrainConfig
    adapt: AdaptConfig

    def as_reference(self) -> "Preset":
        """The same sizes with every choice as the reference implementation makes it."""
        return Preset(
            replace(self.pretrain, generator="reference", positive_may_be_anchor=True, precision="no"),
            replace(self.adapt, no_negative="pull", generator_gradient=True, memory_mode="train", precision="no"),
        )


_MARKET = Preset(PretrainConfig(), AdaptConfig())
_DUKE = Preset(PretrainConfig(), AdaptConfig(batch=40, scale=5.0))

_DOLLS = Preset(  # tests/benchmarks/choosing.md says how it was chosen; small enough for float32 everywhere
    PretrainConfig(
        backbone="test_resnet", pretrained=False, size=(128, 64), feature_dim=64, embedding_dim=32,
        epochs=10, batch=32, lr_backbone=0.05, lr_heads=0.1, lr_generator=1e-3, generator_epochs=(3, 7), decay_epoch=7,
        workers=0, precision="no", evaluate_every=5,
    ),
    AdaptConfig(
        epochs=12, lr=0.15, decay_epoch=9, workers=0, precision="no", evaluate_every=3, scale=2.0, k=20,
        ipfl_weight=2.0, jitter=(0.4, 0.4, 0.4, 0.1), crop=(0.85, 1.0),
        margin=1.0,  # half the reference's: 6 x 32 cosines are half as long as 6 x 128
    ),
)  # fmt: skip
_BASE = {"paperdolls": _DOLLS, "market1501": _MARKET, "duke": _DUKE, "msmt17": _MARKET}

PRESETS: dict[str, Preset] = {**_BASE, **{f"{name}-reference": p.as_reference() for name, p in _BASE.items()}}
"""Settings by name: paperdolls, market1501, duke, msmt17 (the target), each also with -reference."""
