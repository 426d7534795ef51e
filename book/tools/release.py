"""``make release``: does everything that names a version name the same one? Then what is left to do.

Colab installs the tag that a chapter's first cell names, and opens the chapter at the tag that its button names. If
these two, the packages and the citation disagree, a reader runs one version and reads another. A version that
CHANGELOG.md calls "unreleased" has no date yet, so the citation must not have one either.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import yaml

import paullite as pl
from book.extension.address import is_placeholder

from .notebooks import ROOT, assignments, badge, chapters, code_cells, first_cell, read, repository

UNRELEASED = "unreleased"  # stands in CHANGELOG.md for the date of the version in the making


def tag() -> str:
    """The name of the release in git."""
    return f"v{pl.__version__}"


def disagreements() -> list[str]:
    """Every place that names another version or date than the library does; empty if all agree."""
    return [what for check in (_packaged, _cited, _changed, _first_cells, _tagged) for what in check()]


def _packaged() -> Iterator[str]:
    if _version_of(_text("paullite/version.py")) != pl.__version__:
        yield f"paullite/version.py does not say version {pl.__version__}, which is the one that is imported"
    for name in ("pyproject.toml", "book/pyproject.toml"):
        if f'\nversion = "{pl.__version__}"' not in _text(name):
            yield f"{name} does not say version {pl.__version__}"
    if f'"paullite=={pl.__version__}"' not in _text("book/pyproject.toml"):
        yield f"book/pyproject.toml does not ask for paullite=={pl.__version__}"


def _cited() -> Iterator[str]:
    cited = yaml.safe_load(_text("CITATION.cff"))
    if str(cited.get("version")) != pl.__version__:
        yield f"CITATION.cff says version {cited.get('version')}, the library {pl.__version__}"
    if str(cited.get("date-released", "")) != _released():
        yield f"CITATION.cff says released {cited.get('date-released')}, CHANGELOG.md {_released() or 'no date'}"


def _changed() -> Iterator[str]:
    newest = re.search(r"^## (\S+) \((.*)\)$", _text("CHANGELOG.md"), re.MULTILINE)
    if not newest or newest[1] != pl.__version__:
        yield f"CHANGELOG.md begins with {newest[1] if newest else 'nothing'}, the library is {pl.__version__}"
    elif newest[2] != UNRELEASED and not _released():
        yield f"CHANGELOG.md has {newest[2]!r} for the date of {newest[1]}; expected YYYY-MM-DD or {UNRELEASED}"


def _first_cells() -> Iterator[str]:
    """The button needs no line here: ``book/extension/site_fixes.py`` derives it, and a test looks at the pages."""
    for path in chapters([]) + assignments([]):
        notebook = read(path)
        first = code_cells(notebook)[0].source
        if first != first_cell() or f"@{tag()}" not in first:
            yield f"the first cell of {path.name} does not install {tag()} of {repository()}; run: make beginnings"
        if badge(path) not in notebook.cells[0].source:
            yield f"the badge of {path.name} does not open {tag()} of {repository()}; run: make beginnings"


def _tagged() -> Iterator[str]:
    """A tag that is there already must hold this version."""
    shown = _git("show", f"{tag()}:paullite/version.py")
    if shown and _version_of(shown) != pl.__version__:
        yield f"the tag {tag()} holds another version of the library"


def to_do() -> list[str]:
    """What somebody still has to do by hand, in order."""
    steps = []
    if is_placeholder(repository()):
        steps.append("write the public address into _config.yml (repository: url), then: make beginnings")
    if not _released():
        steps.append(f"write the date into CHANGELOG.md (## {pl.__version__} (YYYY-MM-DD)) and CITATION.cff")
    if _git("status", "--porcelain"):
        steps.append("commit what has changed: git status")
    steps.append("make test, on a clean clone")
    if not _git("tag", "--list", tag()):
        steps.append(f"git tag -a {tag()} -m {tag()}")
    steps += [
        f"git push origin main {tag()}",
        f"publish a release of {tag()} on GitHub: a workflow attaches the wheels of both packages",
        "open a chapter's Colab button, run it to its end",
    ]
    return (
        steps if _doi() else [*steps, "archive the release at Zenodo, and write the doi that it gets into CITATION.cff"]
    )


def _doi() -> str:
    """The identifier that archives give to the project; empty before the first release."""
    return str(yaml.safe_load(_text("CITATION.cff")).get("doi", ""))


def _released() -> str:
    """The date of this version in the changelog; empty while it has none."""
    found = re.search(rf"^## {re.escape(pl.__version__)} \((\d{{4}}-\d\d-\d\d)\)", _text("CHANGELOG.md"), re.MULTILINE)
    return found[1] if found else ""


def _version_of(source: str) -> str:
    """The version that a module states."""
    found = re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    return found[1] if found else ""


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _git(*words: str) -> str:
    """What git says; nothing where there is no git, or no such thing."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> int:
    """Print what disagrees, or else what is left to do. Without a public address, no release is possible: 1."""
    wrong = disagreements()
    for what in wrong:
        print(f"wrong: {what}", file=sys.stderr)
    if not wrong:
        print(f"{tag()}: packages, citation, changelog and first cells agree. Left to do:")
        print(*(f"  {place}. {step}" for place, step in enumerate(to_do(), 1)), sep="\n")
    homeless = is_placeholder(repository())
    if homeless:
        print(f"wrong: every first cell installs from {repository()}, which is a placeholder", file=sys.stderr)
    return int(bool(wrong) or homeless)


if __name__ == "__main__":
    sys.exit(main())
