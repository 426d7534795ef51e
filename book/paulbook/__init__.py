"""What the chapters use besides the method: checks of exercises, figures, bands of numbers, the first line."""

from . import figures
from .bands import Band, band, study_band
from .checking import check
from .exercise import Exercise, Wrong, expect
from .marks import check_report
from .start import ready

__all__ = ["Band", "Exercise", "Wrong", "band", "check", "check_report", "expect", "figures", "ready", "study_band"]
