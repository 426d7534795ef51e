"""The oldest versions that the packages allow, as constraints for pip: ``python -m tests.oldest > oldest.txt``."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "pyproject.toml", ROOT / "book" / "pyproject.toml")


def requirements(path: Path, name: str = "dependencies") -> list[str]:
    """A list of requirements in a pyproject.toml; tomllib is not in Python 3.10.

    >>> requirements(PACKAGES[0], "group")
    ['scikit-learn>=1.4']
    """
    found = re.search(rf"^{name} = \[(.*?)\]", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if not found:
        raise LookupError(f"found no {name} in {path}")
    return re.findall(r'"([^"]+)"', found[1])


def oldest() -> list[str]:
    """The lower bound of each dependency of both packages as an exact version; of two bounds, the higher one.

    >>> [line for line in oldest() if line.startswith("timm")]
    ['timm==1.0.12']
    """
    bounds: dict[str, str] = {}
    for line in (line for path in PACKAGES for line in requirements(path)):
        name, _, version = line.split(",")[0].partition(">=")
        if version and _numbers(version) > _numbers(bounds.get(name, "0")):
            bounds[name] = version
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


if __name__ == "__main__":
    print(*oldest(), sep="\n")
