"""The house rules that no linter keeps: sizes, what is imported when, and that packaging and folders agree.

The layers themselves are contracts of import-linter, in `pyproject.toml`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.code_metrics import cycles

from friendshore.official import OFFICIAL
from friendshore.plugins import Registry
from friendshore.plugins.manifest import Plugin
from friendshore.plugins.names import FIELD, names_of

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 60
SOURCES = [ROOT / "core", ROOT / "catalogs", *sorted((ROOT / "plugins").glob("*/src"))]
FILES = sorted(path for source in SOURCES for path in source.rglob("*.py"))
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
HEAVY = ("highspy", "ortools", "scipy", "pandas")
LIGHT = {
    "friendshore": (*HEAVY, "numpy", "pydantic"),
    "friendshore.plugins": HEAVY,
    "friendshore.cli": HEAVY,
}


def toml(path: Path) -> dict[str, Any]:
    """A TOML file of the repository."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of every function of a file, signature and docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            first = node.body[1] if documented else node.body[0]
            yield node.name, (node.end_lineno or first.lineno) - first.lineno + 1


def test_functions_are_short() -> None:
    """No function has more than 60 lines."""
    sizes = [(str(path.relative_to(ROOT)), *function) for path in FILES for function in functions(path)]
    assert sizes
    assert [function for function in sizes if function[2] > LONGEST_FUNCTION] == []


def test_nothing_imports_in_a_circle() -> None:
    """No module leads back to itself, and no two folders or files of a package import one another."""
    assert cycles() == {}


@pytest.mark.parametrize("module", LIGHT)
def test_light_imports_stay_light(module: str) -> None:
    """Importing the package, the plugin layer or the command line loads no solver, no data library and no plugin."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded.isdisjoint(LIGHT[module])
    assert not [name for name in loaded if name.startswith("friendshore_")]


@pytest.mark.parametrize("stub", sorted((ROOT / "core").rglob("__init__.pyi")), ids=lambda stub: stub.parent.name)
def test_a_stub_states_what_its_package_loads(stub: Path) -> None:
    """Type checkers read the same names, from the same modules, as the package loads on first use."""
    package = ".".join(stub.parent.relative_to(ROOT / "core").parts)
    stated = {
        alias.name: import_module("." * node.level + (node.module or ""), package)
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    loaded = import_module(package)
    assert sorted(stated) == loaded.__all__
    assert [name for name, module in stated.items() if getattr(loaded, name) is not getattr(module, name)] == []


def test_the_table_of_official_plugins_agrees_with_their_manifests() -> None:
    """Every plugin of the repository is in the table, with everything that errors may name."""
    fields = ("catalogs", "packs", "questions", "commands", "formats", "case_formats", "checks")
    names_by_manifest = {
        info.distribution: {field: names_of(Plugin(info), what) for what, field in FIELD.items() if field in fields}
        for info in Registry.discover().plugins
        if info.distribution in PLUGINS
    }
    names_by_table = {plugin.distribution: {field: getattr(plugin, field) for field in fields} for plugin in OFFICIAL}
    assert {
        name: {field: sorted(names) for field, names in plugin.items()} for name, plugin in names_by_table.items()
    } == {name: {field: sorted(names) for field, names in plugin.items()} for name, plugin in names_by_manifest.items()}


def test_a_name_of_an_official_plugin_that_is_missing_names_the_plugin() -> None:
    """Without the plugin, `friendshore` doesn't list the name, and its use says what to install."""
    code = (
        "import sys; sys.modules['friendshore_reasons'] = None; import friendshore; print('repairs' in dir(friendshore))\n"
        "from friendshore import *\n"
        "from friendshore import repairs"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "False\n"
    assert run.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: `friendshore.repairs` is in the plugin friendshore-reasons, "
        "which isn't installed: pip install friendshore-reasons"
    )


def test_every_plugin_is_known_to_the_workspace() -> None:
    """A plugin in the repository is in the group that `uv run` installs, in the extra `all`, in the sources, and in the import contract."""
    project = toml(ROOT / "pyproject.toml")
    needed = project["project"]["optional-dependencies"]["all"]
    assert [name.partition(">")[0] for name in needed if "[" not in name] == PLUGINS
    assert sorted(project["dependency-groups"]["plugins"]) == PLUGINS
    assert sorted(name for name in project["tool"]["uv"]["sources"] if name != "friendshore") == PLUGINS
    contracts = project["tool"]["importlinter"]["contracts"]
    forbidden = next(c for c in contracts if c["id"] == "own-plugins")["forbidden_modules"]
    assert {name.replace("-", "_") for name in PLUGINS} < set(forbidden)


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_is_packaged_like_the_others(name: str) -> None:
    """Each plugin is a typed package with a manifest, a README, an entry point and a range of friendshore versions."""
    folder, package = ROOT / "plugins" / name, name.replace("-", "_")
    project = toml(folder / "pyproject.toml")["project"]
    assert project["name"] == name
    assert "friendshore>=0.1,<0.2" in project["dependencies"]
    assert all("," in needed and "<" in needed for needed in project["dependencies"]), "each with both ends"
    assert list(project["entry-points"]["friendshore"].values()) == [package]
    for file in ("__init__.py", "friendshore.toml", "py.typed"):
        assert (folder / "src" / package / file).is_file()
    assert (folder / project["readme"]).is_file()


def test_lock_file_names_only_the_public_index() -> None:
    """No mirror and no path of a machine is in it."""
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r'https?://[^/"]+', text))
    assert len(set(re.findall(r'registry = "([^"]+)"', text))) == 1
    # A public host: a name under a public domain, by https, without a port or a user.
    assert all(re.fullmatch(r"https://[a-z]+(?:\.[a-z]+)*\.org", host) for host in hosts), hosts
    assert "file://" not in text


def test_links_of_the_readme_lead_to_the_repository_on_an_index() -> None:
    """No link is relative, and pictures are files."""
    project = toml(ROOT / "pyproject.toml")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    links = re.findall(r"\]\(([^)]+)\)", text)
    source = project["project"]["urls"]["Source"]
    own = [link for link in links if link.startswith(source + "/blob/main/")]
    pictures = [link for link in links if link.startswith(source + "/raw/main/")]
    assert len(pictures) == 5
    assert all((ROOT / link.partition("/raw/main/")[2]).is_file() for link in pictures)
    assert len(own) > 5
    assert all(link.startswith("https://") for link in links)
    assert all((ROOT / link.partition("/blob/main/")[2].partition("#")[0]).exists() for link in own)


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("[!R]*.md")), ids=lambda page: page.name)
def test_a_decision_has_a_date(page: Path) -> None:
    """Each page of a decision says on which day it was taken."""
    assert re.match(r"# .+\n\nDecided on \d{4}-\d\d-\d\d\.\n", page.read_text(encoding="utf-8"))
