"""PatchNet: one image in, P patch features out."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

from ..data.items import open_image, to_rgb
from ..data.transforms import evaluation_transform
from ..errors import InputError, at_least_one
from ..files import expanded
from ..modes import at_least_float32, full_precision, mode
from .attention import patch_attention, pool_patches
from .backbones import Backbone, Options, check_rows
from .generators import LightGenerator, ReferenceGenerator, check_map

GENERATORS = {"light": LightGenerator, "reference": ReferenceGenerator}


class PatchOutput(NamedTuple):
    """What PatchNet says of a batch. Theta, attention, features and embedding are float32 in half precision, too."""

    features: Tensor  #: (B, P, D) patch features, L2-normalised; what PEDAL and retrieval use
    embedding: Tensor  #: (B, E) of each patch the cosines of its feature with the embedding layer's rows (phase 2)
    theta: Tensor  #: (B, P, 2, 3) where the patches are
    attention: Tensor  #: (B, P, H, W) the weight of each cell of the map in each patch
    source_embedding: Tensor  #: (B, E) the embedding of phase 1, behind a ReLU
    logits: tuple[Tensor, ...]  #: P tensors (B, identities), behind the same ReLU; () without identities


class PatchLinear(nn.Module):
    """One linear layer for each patch, all at once: (B, P, inputs) -> (B, P, outputs).

    >>> PatchLinear(3, 8, 5)(torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 5])
    """

    def __init__(self, patches: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)  # nn.Linear's own start
        self.weight = nn.Parameter(torch.empty(patches, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(patches, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bpi,poi->bpo", x, self.weight) + self.bias


class PatchNet(nn.Module):
    r"""Backbone, patch generation network, and for each patch its own reduction and heads.

    map = backbone(image); theta = generator(map); pooled_p = sum_hw attention(theta_p)_hw map_hw;
    f_p = BN(W_p pooled_p + b_p); feature_p = f_p / \|f_p\|.

    Args:
        backbone: a timm name, a timm model, or any module that turns images into a map (B, C, H, W); see `Backbone`.
        patches, feature_dim, embedding_dim: P (the paper ran 4, 6 and 8), D and E / P, the size of a patch's embedding.
        identities: people in the labelled source; ``None`` for a network without classifiers.
        generator: ``"light"``, or ``"reference"`` in the size of the reference implementation.
        size: (height, width) of the images in pixels. CNNs also take other sizes.
        pretrained, weights, backbone_options: as in `Backbone`, which also says what is an `InputError`.

    Attributes:
        normalisation: mean and std of the input, as the backbone knows them. Set it if your weights want others.

    Source: PAUL, Yang et al., CVPR 2019, figure 2; sizes of its reference implementation.

    >>> net = PatchNet(backbone="test_resnet", patches=4, feature_dim=32, pretrained=False, size=(128, 64)).eval()
    >>> out = net(torch.zeros(2, 3, 128, 64))
    >>> out.features.shape, out.embedding.shape, out.attention.shape
    (torch.Size([2, 4, 32]), torch.Size([2, 512]), torch.Size([2, 4, 8, 4]))
    >>> net.retrieval_features(torch.zeros(2, 3, 128, 64)).shape, net.feature(Image.new("RGB", (60, 120))).shape
    (torch.Size([2, 128]), torch.Size([128]))
    """

    def __init__(
        self,
        backbone: str | nn.Module = "resnet50.tv_in1k",
        *,
        patches: int = 6,
        feature_dim: int = 256,
        embedding_dim: int = 128,
        identities: int | None = None,
        pretrained: bool = True,
        generator: str = "light",
        size: tuple[int, int] = (384, 128),
        weights: str | Path | None = None,
        backbone_options: Options | None = None,
    ) -> None:
        super().__init__()
        at_least_one(patches=patches, feature_dim=feature_dim, embedding_dim=embedding_dim)
        if generator not in GENERATORS:
            raise InputError(f"found generator = {generator!r}", f"expected one of {', '.join(GENERATORS)}")
        self.patches = patches
        self.feature_dim = feature_dim
        self.size = (int(size[0]), int(size[1]))
        options = dict(backbone_options or {})
        self.backbone = Backbone(backbone, size=self.size, pretrained=pretrained, weights=weights, options=options)
        self.settings: dict[str, Any] = {"backbone": self.backbone.name, "patches": patches, "feature_dim": feature_dim}
        self.settings |= {"embedding_dim": embedding_dim, "identities": identities, "generator": generator}
        self.settings |= {"size": self.size, "backbone_options": options}
        if generator == "reference":
            check_map(*self.backbone.map_size)
        check_rows(self.backbone, self.size, patches)
        self.normalisation = self.backbone.normalisation
        self.generator = GENERATORS[generator](self.backbone.channels, patches)
        self.reduction = PatchLinear(patches, self.backbone.channels, feature_dim)
        self.norm = nn.BatchNorm1d(patches * feature_dim)  # over the batch alone, so the same as one for each patch
        self.classifier = PatchLinear(patches, feature_dim, identities) if identities else None
        self.embedding = PatchLinear(patches, feature_dim, embedding_dim)
        self.to(self.backbone.like)  # a backbone of one's own may be in another dtype or on another device

    def forward(self, images: Tensor, *, generator_gradient: bool = True) -> PatchOutput:
        """Look at normalised images (B, 3, height, width), in whatever dtype the network is in.

        Without ``generator_gradient``, the gradient through theta reaches neither the generator nor, by it, the map.
        """
        feature_map = self.backbone(images.to(self.reduction.weight.dtype))  # B C H W
        with torch.set_grad_enabled(torch.is_grad_enabled() and generator_gradient):
            theta = self.generator(feature_map)  # B P 2 3
        attention = patch_attention(theta, *feature_map.shape[-2:])  # B P H W
        reduced = self.reduction(pool_patches(attention, feature_map))  # B P D
        reduced = self.norm(reduced.flatten(1)).view_as(reduced)
        with full_precision(reduced.device):  # IPFL compares distances between embeddings that differ little
            features = F.normalize(at_least_float32(reduced), dim=-1)  # B P D
            rows = F.normalize(at_least_float32(self.embedding.weight), dim=-1)  # P E/P D
            cosines = torch.einsum("bpd,ped->bpe", features, rows)
        seen = F.relu(reduced)  # phase 1 only
        source_embedding = self.embedding(seen).flatten(1)
        logits = () if self.classifier is None else self.classifier(seen).unbind(1)
        return PatchOutput(features, cosines.flatten(1), theta, attention, source_embedding, logits)

    def retrieval_features(self, images: Tensor) -> Tensor:
        """The P patch features side by side, for cosine ranking: (B, 3, height, width) -> (B, P * D)."""
        return self(images).features.flatten(1)

    @torch.no_grad()
    def feature(self, image: Image.Image | str | Path) -> Tensor:
        """The feature of an image of any size, in evaluation mode: ``net.feature(a) @ net.feature(b)`` is a cosine.

        (P * D,), of length 1, on the network's device. A file that cannot be read as an image is an `InputError`.
        """
        if not isinstance(image, Image.Image | str | Path):
            do = "of an array in RGB, give Image.fromarray(array)"
            raise InputError(f"found a {type(image).__name__}", "expected one PIL image or path", do)
        picture = to_rgb(image) if isinstance(image, Image.Image) else open_image(expanded(image))
        with mode(self, False):
            feature = self.retrieval_features(self.transform(picture)[None].to(self.embedding.weight))[0]
        return F.normalize(feature, dim=0)

    def reset_classifier(self, identities: int | None) -> None:
        """New, random classifiers for a source of that many people; ``None`` or 0 for none."""
        new = PatchLinear(self.patches, self.feature_dim, identities) if identities else None
        self.classifier = new and new.to(self.embedding.weight)
        self.settings["identities"] = identities or None

    @property
    def num_features(self) -> int:
        """P * D, the length of what `retrieval_features` gives for one image."""
        return self.patches * self.feature_dim

    @property
    def transform(self) -> v2.Compose:
        """PIL image -> normalised tensor (3, height, width), for evaluation."""
        return evaluation_transform(self.size, self.normalisation)
