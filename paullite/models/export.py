"""PatchNet as an ONNX file, for programs without PyTorch."""

import copy
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..files import expanded
from .patchnet import PatchNet


class _Retrieval(nn.Sequential):
    def forward(self, images: Tensor) -> Tensor:
        return self[0].retrieval_features(images)  # type: ignore[operator]


def export_onnx(net: PatchNet, path: str | Path) -> Path:
    """Write `PatchNet.retrieval_features`, in evaluation mode and float32, to an ONNX file, whose path is returned.

    Input ``images``: (B, 3, height, width) float32 with any B, resized and normalised as ``net.transform`` does it.
    Output ``features``: (B, P * D) float32, P unit vectors side by side, for ranking by cosine. The file's metadata
    ``paullite`` repeats size, mean and standard deviation as JSON. The network is not changed. An `InputError` says
    that the packages for it are not installed, or that the file cannot be written.
    """
    images = torch.zeros(2, 3, *net.size)  # not 1, which the exporter would take for a number that never changes
    frozen = _Retrieval(copy.deepcopy(net)).to("cpu", torch.float32).eval()
    options: dict[str, Any] = {"dynamic_shapes": {"images": {0: torch.export.Dim("batch")}}, "dynamo": True}
    options |= {"input_names": ["images"], "output_names": ["features"], "verbose": False}
    try:
        program: Any = torch.onnx.export(frozen, (images,), **options)
        program.model.metadata_props["paullite"] = json.dumps({"size": net.size, **net.normalisation._asdict()})
        program.save(expanded(path))
    except ImportError as error:  # onnx and onnxscript, which few need
        raise InputError(f"cannot export ({error})", "expected onnx", 'run: pip install "paullite[onnx]"') from None
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror})", "expected a folder that may be written") from None
    return expanded(path)
