"""A name in a cell or a program leads to its entry in the API: sphinx-codeautolink, told where our names are at home.

``pl.adapt`` is ``paullite.adaptation.adapt`` in the API, as both packages say in their ``HOMES``.
"""

from __future__ import annotations

import re
from types import ModuleType

import paulbook
from sphinx.application import Sphinx
from sphinx.config import Config

import paullite


def homes(package: ModuleType) -> dict[str, str]:
    """Every name of a root with the name that it has in the API.

    >>> homes(paullite)["paullite.adapt"]
    'paullite.adaptation.adapt'
    """
    root = package.__name__
    return {f"{root}.{name}": f"{root}.{home}.{name}" for home, names in package.HOMES.items() for name in names}


def without_magics(source: str) -> tuple[str, str]:
    r"""A cell as it stands, and as Python: lines for IPython's own commands hold nothing, at the same depth.

    >>> without_magics("if late:\n    %pip install tyro\n!ls")[1]
    'if late:\n    pass\npass'
    """
    return source, re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def tell_homes(app: Sphinx, config: Config) -> None:
    """Before sphinx-codeautolink reads its settings. Cells of a chapter belong together."""
    config.codeautolink_inventory_map = {**homes(paullite), **homes(paulbook)}
    config.codeautolink_custom_blocks = {"python": f"{__name__}.without_magics"}
    config.codeautolink_concat_default = True
    config.codeautolink_autodoc_inject = False


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.setup_extension("sphinx_codeautolink")
    app.connect("config-inited", tell_homes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
