"""PAUL, unsupervised person re-identification by patches, in modules that can be read in one sitting.

Shape letters, the same in code and book:

==  ===============================================
B   images in a batch (2B with their surrogates)
P   patches of an image
C   channels of the feature map
H   rows of the feature map
W   columns of the feature map
D   size of one patch feature
E   size of the embedding of a whole image
N   images in the unlabelled training set
Q   queries
G   gallery images
A   anchors of IPFL: every view of every image
==  ===============================================
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:  # for editors and type checkers; at run time a name is imported when it is first used
    from . import controls, data, evaluation, losses, memory, models, step
    from .adaptation import adapt
    from .config import PRESETS, AdaptConfig, Preset, PretrainConfig
    from .errors import InputError
    from .evaluation import Scores, evaluate
    from .models import PatchNet
    from .networks import export_onnx, load, load_reference_checkpoint, save, shipped_net
    from .pretraining import pretrain
    from .run import Run

# Where each public name lives. Imported on first use, so that the command line answers without torch.
HOMES = {
    "adaptation": ("adapt",),
    "config": ("PRESETS", "AdaptConfig", "Preset", "PretrainConfig"),
    "errors": ("InputError",),
    "evaluation": ("Scores", "evaluate"),
    "models": ("PatchNet",),
    "pretraining": ("pretrain",),
    "run": ("Run",),
    "networks": ("export_onnx", "load", "load_reference_checkpoint", "save", "shipped_net"),
}
MODULES = ("controls", "data", "evaluation", "losses", "memory", "models", "step")
MOVED = {name: name for name in ("check", "check_report", "figures")} | {"teaching": "", "experiments": "studies"}

__all__ = [
    "PRESETS", "AdaptConfig", "InputError", "PatchNet", "Preset", "PretrainConfig", "Run", "Scores", "__version__",
    "adapt", "controls", "data", "evaluate", "evaluation", "export_onnx", "load", "load_reference_checkpoint",
    "losses", "memory", "models", "pretrain", "save", "shipped_net", "step",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for; a name of version 1 says where it is now."""
    if name in MODULES:
        return import_module(f".{name}", __name__)
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    if name in MOVED:
        new = f"pb.{MOVED[name]}".rstrip(".")
        raise AttributeError(f"found pl.{name}; it is now in the book's package; use: import paulbook as pb; {new}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
