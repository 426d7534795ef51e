"""Any timm network, or any module of one's own, as a source of feature maps at stride 16."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, resolve_model_data_config
from timm.models.resnet import ResNet
from torch import Tensor, nn

from ..errors import InputError, nearest_names
from ..modes import mode
from ..weights import load_weights, read_weights

Options = Mapping[str, Any]


class Normalisation(NamedTuple):
    """Mean and standard deviation of the images, per colour, for pixels in 0..1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Backbone(nn.Module):
    """Images (B, 3, h, w) -> feature map (B, C, H, W), about a sixteenth of the image in height and width.

    ResNets get the stride of their last stage set to 1 by hand, as PAUL does. Other CNNs are asked for timm's
    ``output_stride=16``, which dilates their last stage. A ViT gives its patch tokens as a grid. A module that is
    handed in, timm's or one's own, is used as it is: its stride, its weights, its dtype and its device.

    Args:
        name: a timm name (``timm.list_models()``; also ``hf-hub:owner/name`` and ``local-dir:folder``), a timm model,
            or any module that turns images into a map, or into a list of maps, of which the last is taken.
        size: (height, width) of the images in pixels; position embeddings of a ViT are made for it.
        pretrained, weights: whether to fetch weights from timm's hub; a .safetensors or .pth file instead of the hub.
        options: further arguments of ``timm.create_model``, such as ``{"pad_type": "same"}``.

    Attributes:
        channels, map_size: C, and [H, W] for images of ``size``.
        normalisation: of the images, as timm knows it; ImageNet's for other modules, which a log line says.

    Raises:
        InputError: unknown name, no weights for it, hub out of reach, a weight file that does not fit, or no map.

    >>> Backbone("test_resnet", size=(128, 64), pretrained=False)(torch.zeros(1, 3, 128, 64)).shape
    torch.Size([1, 96, 8, 4])
    """

    def __init__(
        self,
        name: str | nn.Module,
        *,
        size: tuple[int, int] = (384, 128),
        pretrained: bool = True,
        weights: str | Path | None = None,
        options: Options | None = None,
    ) -> None:
        super().__init__()
        self.net = _create(name, size, pretrained and not weights, options or {}) if isinstance(name, str) else name
        self.name = name if isinstance(name, str) else "custom"
        if ":" in self.name:  # hub and folder may be out of reach when a saved network is read
            self.name = str(vars(self.net)["pretrained_cfg"]["architecture"])
        self.net.to(memory_format=torch.channels_last)  # 30 % quicker steps on a CPU
        if weights:
            found = {key.removeprefix("module."): value for key, value in read_weights(weights).items()}
            load_weights(self.net, found, file=Path(weights).name, owner=repr(self.name), extra=True)
        self.normalisation = _normalisation(self.net)
        self.tokens = False
        self.channels, *self.map_size = self._probe(size)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, C, H, W)."""
        images = images.contiguous(memory_format=torch.channels_last)
        return _token_map(self.net, images) if self.tokens else _last_map(self.net, images)

    @property
    def like(self) -> Tensor:
        """A tensor with the dtype and the device that the weights have."""
        return next((p.detach() for p in self.parameters() if p.is_floating_point()), torch.zeros(()))

    @torch.no_grad()
    def _probe(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Channels, rows and columns of the map, from one empty image; batch-norm statistics do not move."""
        try:
            with mode(self, False):
                images = self.like.new_zeros(1, 3, *size)
                self.tokens = hasattr(self.net, "pretrained_cfg") and _last_map(self.net, images).ndim == 3
                shape = tuple(self(images).shape)
            if len(shape) != 4:
                raise ValueError(f"an output of shape {shape}")
        except Exception as error:  # a module of one's own can raise anything
            found = f"found no map from the backbone {self.name!r} at {size[0]}x{size[1]} pixels ({str(error)[:160]})"
            do = "use another size, or cut off its pooling and its head"
            raise InputError(found, "expected a map (B, C, H, W) of images (B, 3, height, width)", do) from error
        return shape[1:]


def check_rows(backbone: Backbone, size: tuple[int, int], patches: int) -> None:
    """Warns of a map coarser than a sixteenth of the image, refuses one with fewer rows and columns than patches."""
    rows, columns = backbone.map_size
    found = f"found a map of {rows} rows and {columns} columns from {backbone.name} at {size[0]}x{size[1]} pixels"
    each = f"{rows / patches:.2g} rows for each of {patches} patches"
    do = "use larger images, fewer patches, or a backbone of stride 16"
    if max(rows, columns) < patches:  # on wide images patches may be made columns
        raise InputError(f"{found}: {each}", "expected one row or more for each patch", do)
    if rows < size[0] // 16 or columns < size[1] // 16:
        warnings.warn(f"{found}, coarser than a sixteenth of the image: {each}; {do}", stacklevel=3)


def _normalisation(net: nn.Module) -> Normalisation:
    if hasattr(net, "pretrained_cfg"):  # timm's
        found = resolve_model_data_config(net)
        return Normalisation(tuple(found["mean"]), tuple(found["std"]))
    logging.getLogger("paullite").warning("the backbone names no mean and std: set net.normalisation if not ImageNet's")
    return Normalisation(IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)


def _create(name: str, size: tuple[int, int], pretrained: bool, options: Options) -> nn.Module:
    base = name.split(".")[0]
    if ":" not in name and not timm.is_model(base):
        nearest = f"nearest names: {nearest_names(base, timm.list_models())}"
        raise InputError(f"found the backbone name {name!r}", "expected one of timm.list_models()", nearest)
    try:
        return _adapted(name, size, {"pretrained": pretrained, "num_classes": 0, **options})
    except Exception as error:  # timm, the hub and the network between raise many kinds
        problem = f"{name!r} ({type(error).__name__}: {str(error)[:120]})"
        if not pretrained:
            raise InputError(f"timm cannot make {problem}", "expected options that it takes") from error
        do = "pass --weights FILE (weights=...), or --no-pretrained (pretrained=False) to start from random ones"
        expected = "expected the model hub within reach, and a name that has weights"
        raise InputError(f"cannot fetch the weights of {problem}", expected, do) from error


def _adapted(name: str, size: tuple[int, int], options: dict[str, Any]) -> nn.Module:
    """The network with stride 16. timm says which kind it is by what its constructor takes."""
    if _is_resnet(name):
        return _unstride(timm.create_model(name, **options))
    for extra in ({"img_size": size, "dynamic_img_size": True}, {"img_size": size}, {"output_stride": 16}):
        with suppress(TypeError, NotImplementedError, AssertionError):  # this kind of network does not take that
            return timm.create_model(name, **options, **extra)
    return timm.create_model(name, **options)


def _is_resnet(name: str) -> bool:
    if ":" in name:  # what stands behind a source is known once it is built
        return isinstance(timm.create_model(name, pretrained=False), ResNet)
    return timm.models.model_entrypoint(name.split(".")[0]).__module__ == ResNet.__module__


def _unstride(net: nn.Module) -> nn.Module:
    """Stride 1 in the last stage of a ResNet: in its main path and in its shortcut."""
    for parent in net.get_submodule("layer4.0").modules():
        for child_name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.stride = (1, 1)
            elif isinstance(child, nn.AvgPool2d):  # ResNet-D pools in its shortcut
                setattr(parent, child_name, nn.Identity())
    return net


def _last_map(net: nn.Module, images: Tensor) -> Tensor:
    """What a network says before any pooling and any head: a map, or tokens (B, prefix + H W, C)."""
    out = (getattr(net, "forward_features", net) if hasattr(net, "pretrained_cfg") else net)(images)
    out = out[-1] if isinstance(out, list | tuple) else out  # timm's features_only gives every stage
    channels_last = out.ndim == 4 and str(getattr(net, "output_fmt", "")).endswith("NHWC")
    return out.permute(0, 3, 1, 2) if channels_last else out


def _token_map(net: nn.Module, images: Tensor) -> Tensor:
    """The patch tokens of a ViT as a grid, (B, C, H, W); timm drops class and register tokens."""
    options = {"indices": 1, "norm": hasattr(net, "norm"), "output_fmt": "NCHW"}  # the last stage, and its final norm
    return net.forward_intermediates(images, **options, intermediates_only=True)[-1]  # type: ignore[operator]
