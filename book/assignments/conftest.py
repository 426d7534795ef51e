"""nbval over the assignments, by the rules of the chapters."""

import importlib.util
from pathlib import Path

CHAPTERS = Path(__file__).parent.parent.parent / "notebooks" / "conftest.py"
_spec = importlib.util.spec_from_file_location("chapters_conftest", CHAPTERS)
assert _spec and _spec.loader
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
pytest_collection_modifyitems = _module.pytest_collection_modifyitems
