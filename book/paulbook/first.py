"""The drawn world of the first edition, on which chapters 5 to 12 stand until they are written anew.

It is ``PaperDolls(..., passage_share=0)``, its networks are ``pl.shipped_net("v1/source")`` and ``"v1/adapted"``, and
these are the settings of both phases that were chosen for it.
"""

from typing import Any

from paullite.config import AdaptConfig, Preset, PretrainConfig

from .studies.settings import shortened

PRESET = Preset(
    PretrainConfig(
        backbone="test_resnet", pretrained=False, size=(128, 64), feature_dim=64, embedding_dim=32,
        epochs=10, batch=32, lr_backbone=0.05, lr_heads=0.1, lr_generator=1e-3, generator_epochs=(3, 7), decay_epoch=7,
        workers=0, precision="no", evaluate_every=5,
    ),
    AdaptConfig(
        epochs=12, lr=0.15, decay_epoch=9, workers=0, precision="no", evaluate_every=3, scale=4.0, k=20,
        ipfl_weight=0.3, margin=1.0,  # half the reference's: 6 x 32 cosines are half as long as 6 x 128
    ),
)  # fmt: skip
STUDY = shortened(PRESET)
"""The preset, shortened as the studies of the first edition had it."""
SOURCE: dict[str, Any] = {"identities": 80, "passage_share": 0}
TARGET: dict[str, Any] = {"identities": 64, "test_identities": 60, "passage_share": 0}
"""Arguments of `PaperDolls` in these studies, besides the seed."""
