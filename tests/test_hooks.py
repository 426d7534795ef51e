"""What pre-commit runs is what make check runs, in the same versions."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def hooks() -> dict[str, dict]:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    return {hook["id"]: hook for repository in repositories for hook in repository["hooks"]}


def test_versions_are_those_of_the_tests() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    needed = [line for hook in hooks().values() for line in hook["additional_dependencies"]]
    assert needed.count(next(pin for pin in pins if pin.startswith("ruff=="))) == 2
    assert [line for line in needed if line not in pins] == ["pre-commit-hooks==6.0.0"]


def test_make_check_runs_them_too() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = re.search(r"^check:.*?(?=^\w|\Z)", makefile, re.MULTILINE | re.DOTALL)[0]
    assert all(f"$(BIN)/{hooks()[name]['entry'].split()[0]}" in check for name in ("ruff", "ruff-format", "typos"))


def test_large_files_are_those_of_the_test() -> None:
    """`test_no_path_of_a_machine_and_no_foreign_file` allows 3 MB; the hook counts in KiB."""
    most = int(hooks()["large-files"]["entry"].split("=")[1])
    assert most * 1024 <= 3_000_000 < (most + 1) * 1024
