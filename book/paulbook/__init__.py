"""What the chapters use besides the method: checks of exercises, figures, bands of numbers, studies, the first line."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers; at run time a name is imported when it is first used
    from . import figures, first, studies
    from .agreement import agrees
    from .bands import Band, band, study_band
    from .checking import check
    from .exercise import Exercise, Wrong, expect
    from .marks import check_report
    from .start import ready

# Where each public name lives. Imported on first use, so that the command line answers without torch.
HOMES = {
    "agreement": ("agrees",),
    "bands": ("Band", "band", "study_band"),
    "checking": ("check",),
    "exercise": ("Exercise", "Wrong", "expect"),
    "marks": ("check_report",),
    "start": ("ready",),
}
MODULES = ("figures", "first", "studies")

__all__ = [
    "Band", "Exercise", "Wrong", "agrees", "band", "check", "check_report", "expect", "figures", "first", "ready",
    "studies", "study_band",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in MODULES:
        return import_module(f".{name}", __name__)
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
