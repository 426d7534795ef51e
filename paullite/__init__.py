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

from . import data, evaluation, losses, memory, models, teaching
from .adaptation import adapt, adapt_batch_norm
from .checkpoints import load, load_reference_checkpoint, save
from .config import PRESETS, AdaptConfig, Preset, PretrainConfig
from .demo import shipped_net
from .errors import InputError
from .evaluation import Scores
from .judge import evaluate
from .models import PatchNet
from .pretraining import pretrain
from .teaching import check, check_report, figures
from .training import Run

__version__ = "1.0.0"

__all__ = [
    "PRESETS",
    "AdaptConfig",
    "InputError",
    "PatchNet",
    "Preset",
    "PretrainConfig",
    "Run",
    "Scores",
    "adapt",
    "adapt_batch_norm",
    "check",
    "check_report",
    "data",
    "evaluate",
    "evaluation",
    "figures",
    "load",
    "load_reference_checkpoint",
    "losses",
    "memory",
    "models",
    "pretrain",
    "save",
    "shipped_net",
    "teaching",
]
