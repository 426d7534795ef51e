"""The line that every chapter begins with."""

from __future__ import annotations

import torch

from paullite.app.doctor import packages
from paullite.version import __version__

COMMAND_LINE_ONLY = ("tyro",)  # not on Colab, and no chapter needs it


def ready() -> None:
    """Print device, versions, what is too old or missing, and whether the chapter can begin.

    >>> ready()  # doctest: +ELLIPSIS
    paullite ... on ..., torch ..., timm ..., numpy ...: ready
    """
    lines = {what: (fine, found) for fine, what, found in packages()}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu ({torch.get_num_threads()} threads)"
    shown = ", ".join(f"{name} {lines[name][1]}" for name in ("torch", "timm", "numpy"))
    lacking = [f"{what} {found}" for what, (fine, found) in lines.items() if not fine and what not in COMMAND_LINE_ONLY]
    print(f"paullite {__version__} on {device}, {shown}: {'; '.join(lacking) or 'ready'}")
