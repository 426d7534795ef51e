"""Names in cells lead to the API, and links to the glossary say what the term means: a small book, built."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from book.extension import code_links

ROOT = Path(__file__).parent.parent
EXTENSION = ROOT / "book" / "extension"
CONF = f"""
import sys
sys.path.insert(0, {str(EXTENSION)!r})
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'code_links', 'hover']
html_theme = 'basic'
myst_enable_extensions = ['dollarmath']
suppress_warnings = ['config.cache']
"""
INDEX = """# A page

A {term}`query` has {math}`n`.

```python
if 1 > 2:
    %pip install paullite

import paullite as pl
```

```python
run = pl.adapt(config, target)
```

```{toctree}
book/reference/glossary
api
```
"""
GLOSSARY = r"""# Glossary

```{glossary}
query
  The image whose
  person is *looked for*, by $n$ or $\frac12$.

  More of it.
```
"""
API = "# API\n\n```{eval-rst}\n.. automodule:: paullite.adaptation\n   :members: adapt\n```\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("small")
    (folder / "book" / "reference").mkdir(parents=True)
    for name, text in {
        "conf.py": CONF,
        "index.md": INDEX,
        "api.md": API,
        "book/reference/glossary.md": GLOSSARY,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", str(folder), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return (folder / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_name_in_a_later_cell_leads_to_its_entry(page: str) -> None:
    """By the short name of the package, whose import stands in another cell."""
    assert 'href="api.html#paullite.adaptation.adapt"' in page


@pytest.mark.slow
def test_a_link_to_a_term_says_what_it_means(page: str) -> None:
    assert (
        'href="book/reference/glossary.html#term-query" title="The image whose person is looked for, by n or …."'
        in page
    )


def test_every_name_of_both_packages_has_a_home() -> None:
    assert doctest.testmod(code_links).failed == 0
    loaded = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["local_extensions"]
    assert {"code_links", "hover", "site_fixes"} <= set(loaded)
    assert all((EXTENSION / f"{name}.py").is_file() for name in loaded)
