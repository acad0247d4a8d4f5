"""What is installed: every dependency has a reason and a pin, every import a dependency, and a wheel holds all of Kefu."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = ROOT / "pyproject.toml"
PACKAGES = ("bot", "retrieval", "finetune")
CONFIG = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))


def pins() -> dict[str, Version]:
    """constraints.txt: name → version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def requirements(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with the extras named."""
    optional = CONFIG["project"]["optional-dependencies"]
    return [
        Requirement(text)
        for text in CONFIG["project"]["dependencies"] + [e for x in extras for e in optional[x]]
    ]


def sources() -> list[Path]:
    return [
        ROOT / "app.py",
        *(file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))),
    ]


def test_every_dependency_says_why_it_is_there() -> None:
    lines = PYPROJECT.read_text(encoding="utf-8").splitlines()
    asked = [line for line in lines if re.match(r'\s+"[A-Za-z0-9_.-]+(\[[^]]*\])?[<>=~!]', line)]
    assert len(asked) == len(requirements("dev")), "Write one dependency a line."
    silent = [line.strip() for line in asked if not re.search(r'",\s+# \S', line)]
    assert not silent, f"no comment says why: {silent}"


def test_every_dependency_is_pinned_to_a_version_that_it_allows() -> None:
    pinned = pins()
    wrong = [
        str(wanted)
        for wanted in requirements("dev")
        if canonicalize_name(wanted.name) not in pinned
        or pinned[canonicalize_name(wanted.name)] not in wanted.specifier
    ]
    assert not wrong, f"constraints.txt has no fitting version of {wrong}: run `make constraints`."


def test_pins_are_exact_public_and_in_order() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if not line.startswith("#")]
    odd = [line for line in names if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line)]
    assert not odd, f"a pin is NAME==VERSION, without a local suffix such as +cpu: {odd}"
    assert names == sorted(names, key=str.upper)  # as `sort -f` in the Makefile does


def test_every_imported_library_is_a_dependency_of_its_own() -> None:
    distributions = packages_distributions()
    asked = {canonicalize_name(wanted.name) for wanted in requirements("search", "private", "openvino")}
    missing = {}
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in (
                {name.partition(".")[0] for name in names} - {"app", *PACKAGES} - sys.stdlib_module_names
            ):
                if not asked & {canonicalize_name(name) for name in distributions.get(top, [])}:
                    missing[top] = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
    assert not missing, f"imported, but not in pyproject.toml's dependencies: {missing}"


@pytest.mark.parametrize("wanted", requirements("dev"), ids=lambda wanted: wanted.name)
def test_notice_names_the_licence_of_a_dependency(wanted: Requirement) -> None:
    names = re.findall(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*", (ROOT / "NOTICE").read_text(encoding="utf-8").lower())
    assert wanted.name.lower() in names, f"NOTICE does not name {wanted.name}: add it under its licence."


def test_a_wheel_holds_every_module() -> None:
    setuptools = CONFIG["tool"]["setuptools"]
    assert setuptools["py-modules"] == ["app"]
    patterns = setuptools["packages"]["find"]["include"]
    left_out = []
    for file in sources()[1:]:
        folders = [folder for folder in file.parents if ROOT in folder.parents]
        name = ".".join(file.parent.relative_to(ROOT).parts)
        if not all((folder / "__init__.py").exists() for folder in folders):
            left_out.append(f"{file.relative_to(ROOT)} (a folder above it has no __init__.py)")
        elif not any(fnmatch(name, pattern) for pattern in patterns):
            left_out.append(f"{file.relative_to(ROOT)} (no pattern of packages.find includes {name})")
    assert not left_out, f"not in the wheel: {left_out}"


def test_a_wheel_holds_the_files_beside_the_modules() -> None:
    declared = CONFIG["tool"]["setuptools"]["package-data"]
    held = {
        file
        for package, patterns in declared.items()
        for pattern in patterns
        for file in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    beside = {
        file
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix != ".py" and "__pycache__" not in file.parts
    }
    assert beside, "there should be the page's styles at least"
    left_out = sorted(str(file.relative_to(ROOT)) for file in beside - held)
    assert not left_out, f"not in the wheel: {left_out}. Add them to package-data in pyproject.toml."


def test_the_javascript_client_is_pinned_with_checksums_and_comes_from_any_registry() -> None:
    lock = json.loads((ROOT / "tests/js/package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((ROOT / "tests/js/package.json").read_text(encoding="utf-8"))["dependencies"]
    assert lock.pop("")["dependencies"] == wanted, "package-lock.json is out of date: run `npm install`."
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package["integrity"] for package in lock.values())
    hosts = [name for name, package in lock.items() if "resolved" in package]
    assert not hosts, (
        f"{hosts} name a host. Run `npm config set omit-lockfile-registry-resolved true`, then `npm install`."
    )


def test_a_wheel_carries_the_licences() -> None:
    assert CONFIG["project"]["license"] == "Apache-2.0"
    assert all((ROOT / name).exists() for name in CONFIG["project"]["license-files"])
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    sentence = (
        "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
    )
    assert sentence in notice.splitlines(), "The Gemma terms require this sentence, on a line of its own."
