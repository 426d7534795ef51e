"""Any timm network, or any module of one's own, as a source of feature maps at stride 16."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import resolve_model_data_config
from torch import Tensor, nn

from ..errors import InputError, nearest_names

Options = Mapping[str, Any]


class Backbone(nn.Module):
    """Images (B, 3, h, w) -> feature map (B, C, H, W), about a sixteenth of the image in height and width.

    ResNets get the stride of their last stage set to 1 by hand, as PAUL does. Other CNNs are asked for timm's
    ``output_stride=16``, which dilates their last stage. A ViT gives its patch tokens as a grid.

    Args:
        name: a timm name (``timm.list_models()``), or a module that turns images into a map.
        size: (height, width) of the images in pixels; position embeddings of a ViT are made for it.
        pretrained: fetch timm's weights for the name from the hub.
        weights: file with weights for the bare network (.safetensors or .pth) instead of the hub.
        options: further arguments of ``timm.create_model``, such as ``{"pad_type": "same"}``.

    Attributes:
        channels: C.
        map_size: [H, W] for images of ``size``.
        normalisation: mean and standard deviation of the images that the weights expect, each of three numbers.

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
        self.name = name if isinstance(name, str) else "custom"
        self.net = (
            name if isinstance(name, nn.Module) else _create(name, size, pretrained and not weights, options or {})
        )
        self.net.to(memory_format=torch.channels_last)  # 30 % quicker steps on a CPU
        if weights:
            _load_weights(self.net, Path(weights), self.name)
        found = resolve_model_data_config(self.net) if isinstance(name, str) else {}
        self.normalisation = tuple(found.get("mean", (0.5,) * 3)), tuple(found.get("std", (0.5,) * 3))
        self.channels, *self.map_size = self._probe(size)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, C, H, W)."""
        images = images.contiguous(memory_format=torch.channels_last)
        look = self.net if self.name == "custom" else getattr(self.net, "forward_features")  # noqa: B009
        out = look(images)
        if out.ndim == 4:
            return out.permute(0, 3, 1, 2) if str(getattr(self.net, "output_fmt", "")).endswith("NHWC") else out
        return _grid(self.net, out, images)

    @torch.no_grad()
    def _probe(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, rows and columns of the map, from one empty image; batch-norm statistics do not move."""
        was = self.net.training
        out = self.eval()(torch.zeros(1, 3, *size))
        self.net.train(was)
        if out.ndim != 4:
            raise InputError(f"found an output of shape {tuple(out.shape)}", "expected a map (B, C, H, W)")
        return out.shape[1], out.shape[2], out.shape[3]


def _create(name: str, size: tuple[int, int], pretrained: bool, options: Options) -> nn.Module:
    base = name.split(".")[0]
    if not timm.is_model(base):
        raise InputError(
            f"found the backbone name {name!r}, which timm does not have",
            f"nearest names: {nearest_names(base, timm.list_models())}",
            "see timm.list_models()",
        )
    try:
        return _adapted(name, size, {"pretrained": pretrained, "num_classes": 0, **options})
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        if not pretrained:
            raise InputError(f"timm cannot make {name!r} ({error})", "expected options that it takes") from error
        raise InputError(
            f"cannot fetch the weights of {name!r} ({type(error).__name__}: {str(error)[:120]})",
            "expected the model hub within reach, and a name that has weights",
            "pass --weights FILE (weights=...), or --no-pretrained (pretrained=False) to start from random ones",
        ) from None


def _adapted(name: str, size: tuple[int, int], options: dict[str, Any]) -> nn.Module:
    """The network with stride 16. timm says which kind it is by what its constructor takes."""
    kind = timm.models.model_entrypoint(name.split(".")[0]).__module__.rsplit(".", 1)[-1]
    if kind == "resnet":
        return _unstride(timm.create_model(name, **options))
    for extra in ({"img_size": size, "dynamic_img_size": True}, {"img_size": size}, {"output_stride": 16}, {}):
        try:
            return timm.create_model(name, **options, **extra)
        except (TypeError, NotImplementedError, AssertionError):  # this kind of network does not take that argument
            continue
    raise InputError(f"timm cannot make {name!r} with {options}", "expected options that it takes")


def _unstride(net: nn.Module) -> nn.Module:
    """Stride 1 in the last stage of a ResNet: in its main path and in its shortcut."""
    for parent in net.get_submodule("layer4.0").modules():
        for child_name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.stride = (1, 1)
            elif isinstance(child, nn.AvgPool2d):  # ResNet-D pools in its shortcut
                setattr(parent, child_name, nn.Identity())
    return net


def _grid(net: nn.Module, tokens: Tensor, images: Tensor) -> Tensor:
    """Patch tokens (B, prefix + H W, C) -> (B, C, H, W); class and register tokens are dropped."""
    tokens = tokens[:, getattr(net, "num_prefix_tokens", 0) :]
    height, width = images.shape[-2:]
    rows = round(math.sqrt(tokens.shape[1] * height / width))
    if tokens.ndim != 3 or rows * (tokens.shape[1] // max(rows, 1)) != tokens.shape[1]:
        raise InputError(f"found tokens {tuple(tokens.shape)} for a {height}x{width} image", "expected a grid of them")
    return tokens.transpose(1, 2).unflatten(2, (rows, -1))


def _load_weights(net: nn.Module, path: Path, name: str) -> None:
    """Load a plain weight file into the bare network; a classifier in the file is ignored."""
    from ..networks import read_state

    state = {key.removeprefix("module."): value for key, value in read_state(path).items()}
    missing, unexpected = _shape_check(net, state)
    if missing:
        raise InputError(
            f"found a weight file that does not fit {name!r} ({path.name}: {len(missing)} of {len(net.state_dict())} "
            f"entries missing or of another shape, first {missing[0]}; {len(unexpected)} unknown)",
            f"expected weights of {name!r}",
            "check --backbone, or give the file that belongs to it",
        )
    net.load_state_dict(state, strict=False)


def _shape_check(net: nn.Module, state: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
    own = net.state_dict()
    optional = lambda key: key.endswith("num_batches_tracked")  # noqa: E731
    missing = [k for k, v in own.items() if not optional(k) and (k not in state or state[k].shape != v.shape)]
    return missing, [k for k in state if k not in own]
