"""PatchNet and its parts: backbone, patch generation network, patches as attention maps."""

from .attention import patch_attention, pool_patches, stripes
from .backbones import Backbone, Normalisation
from .generators import LightGenerator, ReferenceGenerator
from .patchnet import PatchLinear, PatchNet, PatchOutput

__all__ = ["Backbone", "LightGenerator", "Normalisation", "PatchLinear", "PatchNet", "PatchOutput"]
__all__ += ["ReferenceGenerator", "patch_attention", "pool_patches", "stripes"]
