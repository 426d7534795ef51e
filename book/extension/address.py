"""The public address of this copy of the repository, and the Colab button that notebooks carry for readers on GitHub.

The address is that of the remote ``origin``, so that a fork leads to itself without typing. ``_config.yml`` has it for
copies without such a remote, and the environment variable ``PAULLITE_REPOSITORY`` comes before both.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

VARIABLE = "PAULLITE_REPOSITORY"
PLACEHOLDER = "OWNER"  # stands in `_config.yml` until the public address is fixed
# git@github.com:somebody/paullite.git, ssh://git@github.com/..., https://name:token@github.com/...
REMOTE = re.compile(r"(?:\w+://)?(?:[^@/]+@)?github\.com(?::\d+/|[:/])([\w.-]+)/([\w.-]+?)(?:\.git)?/?", re.IGNORECASE)
COLAB = "https://colab.research.google.com"
BADGE = re.compile(rf"\[!\[Open in Colab\]\({COLAB}/[^)]*\)\]\({COLAB}/[^)]*\)\n*")


def repository(root: Path) -> str:
    """The address of the repository in a folder, as ``https://github.com/OWNER/NAME``.

    Raises:
        ValueError: the environment variable holds no address.
    """
    named = os.environ.get(VARIABLE, "").rstrip("/")
    if named and not named.startswith("https://"):
        raise ValueError(f"found {VARIABLE}={named}; expected https://github.com/OWNER/NAME; change or unset it")
    return named or public(origin(root)) or configured(root)


def configured(root: Path) -> str:
    """The address in ``_config.yml``, for copies without a remote."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return str(config["repository"]["url"]).rstrip("/")


def origin(root: Path) -> str:
    """The remote ``origin`` of the repository whose top is this folder; empty without git, repository or remote.

    A folder inside another repository is none of its own, and git takes addresses apart by rules of its user
    (``url.*.insteadOf``), so what is written in the repository's settings is read.
    """
    if not (root / ".git").exists():
        return ""
    try:
        asked = ["git", "config", "--get", "remote.origin.url"]
        done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def public(remote: str) -> str:
    """What a browser opens for a remote on GitHub, without names and passwords; empty for any other host.

    Colab opens notebooks from GitHub alone. For another host, write the address into ``_config.yml``.

    >>> public("git@github.com:Somebody/paullite.git"), public("https://me:secret@github.com/a/b/")
    ('https://github.com/Somebody/paullite', 'https://github.com/a/b')
    >>> public("../paullite"), public("https://example.org/github.com/a")
    ('', '')
    """
    found = REMOTE.fullmatch(remote)
    return f"https://github.com/{found[1]}/{found[2]}" if found else ""


def is_placeholder(address: str) -> bool:
    """Whether nobody has given the address yet.

    >>> is_placeholder("https://github.com/OWNER/paullite"), is_placeholder("https://github.com/OWNERS/paullite")
    (True, False)
    """
    return f"/{PLACEHOLDER}/" in address


def badge(address: str, ref: str, path: str) -> str:
    """The button that opens a notebook on Colab, in Markdown; only GitHub and Jupyter show it, the site has its own."""
    opened = f"{COLAB}/github/{address.removeprefix('https://github.com/')}/blob/{ref}/{path}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({opened})"


def without_badge(text: str) -> str:
    r"""A text without the button and the empty line below it.

    >>> without_badge("# A\n\n" + badge("https://github.com/a/b", "v1", "c.ipynb") + "\n\nText.")
    '# A\n\nText.'
    """
    return BADGE.sub("", text)


def with_badge(text: str, button: str) -> str:
    r"""A text with the button below its title, in place of one that is there.

    >>> with_badge("# A\n\nText.", "[B]")
    '# A\n\n[B]\n\nText.'
    """
    title, _, rest = without_badge(text).partition("\n")
    return f"{title}\n\n{button}\n\n{rest.lstrip(chr(10))}"
