"""Any timm network, or any module of one's own, as a source of feature maps at stride 16."""

import logging
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from timm.data import resolve_model_data_config
from timm.layers import BlurPool2d
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
            or any module whose output is a map, channels first or last, a list or dict of maps, of which the last is
            taken, or an object with ``last_hidden_state``.
        size: (height, width) of the images in pixels; position embeddings are made for it.
        pretrained, weights: whether to fetch weights from timm's hub; a .safetensors or .pth file instead of the hub,
            whose position embeddings are resized as timm does it.
        options: further arguments of ``timm.create_model``, such as ``{"pad_type": "same"}``.

    Attributes:
        channels, map_size: C, and [H, W] for images of ``size``.
        normalisation: of the images, as timm knows it; ImageNet's for other modules, which a log line says.

    Raises an `InputError` for an unknown name, no weights for it, a weight file or a size that does not fit, or no map.

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
        self.name = name.removeprefix("timm/") if isinstance(name, str) else "custom"  # the hub's pages have timm/NAME
        pretrained = pretrained and not weights
        self.net = name if isinstance(name, nn.Module) else _create(self.name, size, pretrained, options or {})
        if ":" in self.name:  # hub and folder may be out of reach when a saved network is read
            self.name = str(vars(self.net)["pretrained_cfg"]["architecture"])
        self.net.to(memory_format=torch.channels_last)  # 30 % quicker steps on a CPU
        if weights:
            owner = f"{self.name!r} ({Path(weights).name})"
            load_weights(self.net, _resized(read_weights(weights), self.net), owner=owner, extra=True)
        if not hasattr(self.net, "pretrained_cfg"):  # which all of timm's have
            log = logging.getLogger("paullite")
            log.warning("the backbone names no mean and std: set net.normalisation if they are not ImageNet's")
        found = resolve_model_data_config(self.net)  # ImageNet's for a module that names none
        self.normalisation = Normalisation(tuple(found["mean"]), tuple(found["std"]))
        self.tokens = False  # of a ViT; how the output is to be read is found out by the probe
        self.channels_last = False
        self.channels, *self.map_size = self._probe(size)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, C, H, W)."""
        images = images.contiguous(memory_format=torch.channels_last)
        if self.tokens:  # timm drops class and register tokens, and gives the last stage behind its final norm
            options = {"indices": 1, "norm": hasattr(self.net, "norm"), "output_fmt": "NCHW"}
            return self.net.forward_intermediates(images, **options, intermediates_only=True)[-1]  # type: ignore[operator]
        return _output(self.net, images).permute(0, 3, 1, 2) if self.channels_last else _output(self.net, images)

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
                shape = tuple(_output(self.net, images).shape)
                self.tokens = hasattr(self.net, "pretrained_cfg") and len(shape) == 3
                self.channels_last = not _has_form(shape[2:], size) and _has_form(shape[1:-1], size)
                shape = tuple(self(images).shape)
            if len(shape) != 4:
                raise ValueError(f"an output of shape {shape}")
        except Exception as error:  # a module of one's own can raise anything
            found = f"found no map from the backbone {self.name!r} at {size[0]}x{size[1]} pixels ({str(error)[:160]})"
            expected = "expected a map (B, C, H, W) of images (B, 3, height, width)"
            raise InputError(found, expected, _what_to_do(self.net, size)) from error
        return shape[1:]


def check_rows(backbone: Backbone, size: tuple[int, int], patches: int) -> None:
    """Warns of a map coarser than a sixteenth of the image, refuses one with fewer rows and columns than patches."""
    rows, columns = backbone.map_size
    found = f"found a map of {rows} rows and {columns} columns from {backbone.name} at {size[0]}x{size[1]} pixels"
    each = f"{rows / patches:.2g} rows for each of {patches} patches"
    do = "use larger images, fewer patches, or a backbone of stride 16"
    if rows == columns == 1 or max(rows, columns) < patches:  # on wide images patches may be made columns
        do = "remove the pooling at the end of the backbone" if rows == columns == 1 else do
        raise InputError(f"{found}: {each}", "expected one row or more for each patch", do)
    if rows < max(size[0] // 16, patches) or columns < size[1] // 16:
        sixteenth = f"a sixteenth of the image has {size[0] // 16} and {size[1] // 16}"
        warnings.warn(f"{found} ({sixteenth}): {each}; {do}", stacklevel=3)


def _has_form(grid: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether rows and columns of cells have the form of the image, up to one of them."""
    return len(grid) == 2 and abs(grid[0] * size[1] - grid[1] * size[0]) <= sum(size)


def _what_to_do(net: nn.Module, size: tuple[int, int]) -> str:
    """If the patches of a ViT do not divide an image, the nearest size that they do."""
    side = getattr(getattr(net, "patch_embed", None), "patch_size", 1)
    sides = side if isinstance(side, tuple) else (side, side)
    height, width = (max(round(pixels / side), 1) * side for pixels, side in zip(size, sides, strict=True))
    if (height, width) != size:
        return f"use --size {height} {width}"
    return "use another size, or cut off its pooling and its head, and lay tokens out as a map"


def _resized(weights: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """The weights of a timm network as its own filter hands them on, which fits position embeddings to the size."""
    resize = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    with suppress(Exception):  # what it cannot read is of another network, as the names will tell
        return resize(dict(weights), net) if resize and hasattr(net, "pretrained_cfg") else weights
    return weights


def _create(name: str, size: tuple[int, int], pretrained: bool, options: Options) -> nn.Module:
    base = name.split(".")[0]
    if ":" not in name and not timm.is_model(base):
        do = f"use hf-hub:{name}, or for a folder local-dir:{name}"
        do = do if "/" in name else f"nearest names: {nearest_names(base, timm.list_models())}"
        raise InputError(f"found the backbone name {name!r}", "expected one of timm.list_models()", do)
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
    if ":" in name:  # what stands behind a source is known once it is built
        resnet = isinstance(timm.create_model(name, pretrained=False), ResNet)
    else:
        resnet = timm.models.model_entrypoint(name.split(".")[0]).__module__ == ResNet.__module__
    if resnet:
        return _unstride(timm.create_model(name, **options))
    for extra in ({"img_size": size, "dynamic_img_size": True}, {"img_size": size}, {"output_stride": 16}):
        with suppress(TypeError, NotImplementedError, AssertionError):  # this kind of network does not take that
            return timm.create_model(name, **options, **extra)
    return timm.create_model(name, **options)


def _unstride(net: nn.Module) -> nn.Module:
    """Stride 1 in the last stage of a ResNet: in its main path and in its shortcut."""
    for parent in net.get_submodule("layer4.0").modules():
        for child_name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.stride = (1, 1)
            elif isinstance(child, nn.AvgPool2d | BlurPool2d):  # ResNet-D pools in its shortcut, others blur
                setattr(parent, child_name, nn.Identity())
    return net


def _output(net: nn.Module, images: Tensor) -> Tensor:
    """What a network says before any pooling and any head: a map, or tokens (B, prefix + H W, C)."""
    out = (getattr(net, "forward_features", net) if hasattr(net, "pretrained_cfg") else net)(images)
    out = getattr(out, "last_hidden_state", out)  # of Hugging Face's transformers
    out = list(out.values()) if isinstance(out, Mapping) else out
    return out[-1] if isinstance(out, list | tuple) else out  # timm's features_only gives every stage
