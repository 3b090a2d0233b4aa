"""`plugins new`: what it writes is a plugin as it stands, with tests that pass and types that hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from friendshore.cli import app
from friendshore.cli.cases import write_starter
from friendshore_testing.check import outcomes_of
from friendshore_testing.subjects import checks_of

KINDS = {
    "friendshore-acme": (),
    "acme-rules": ("--rule",),
    "Acme.Data": ("--catalog",),
    "acme-law": ("--pack",),
    "acme-asks": ("--question",),
    "acme-erp": ("--reader",),
    "acme-tool": ("--command",),
    "acme-text": ("--format",),
    "acme-audit": ("--check",),
    "acme-json": ("--case-format",),
    "acme-all": (
        "--catalog", "--rule", "--pack", "--question", "--reader", "--command", "--format", "--check", "--case-format",
    ),
}  # fmt: skip
ALL_BUT_THE_KIT = ("-k", "not conforms")
"""The conformance kit takes longest over rules. It runs on the same rule in the plugin `friendshore-acme`."""
KITLESS = ("acme-rules", "acme-all")


def new(*arguments: str | Path) -> Result:
    """Run `plugins new`."""
    return CliRunner().invoke(app, ["plugins", "new", *map(str, arguments)])


def refused(target: Path, *arguments: str | Path, but: str = "") -> None:
    """Check that `plugins new` refuses some arguments with some words, and writes nothing."""
    before = {path: path.is_file() and path.read_bytes() for path in (target, *target.rglob("*")) if path.exists()}
    told = new(*arguments)
    assert (told.exit_code, but in " ".join(told.output.split())) == (2, True), told.output
    after = {path: path.is_file() and path.read_bytes() for path in (target, *target.rglob("*")) if path.exists()}
    assert after == before


def installed(project: Path, site: Path) -> dict[str, str]:
    """Return the environment in which a project looks installed, as an editable install would leave it."""
    told = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    [(entry, package)] = told["entry-points"]["friendshore"].items()
    info = site / f"{package}-{told['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
    (info / "entry_points.txt").write_text(f"[friendshore]\n{entry} = {package}\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(project / "src")])}


def run(project: Path, env: dict[str, str], *module: str) -> None:
    """Run a tool in a project."""
    words = [sys.executable, "-m", *module]
    done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def run_its_tests(project: Path, site: Path, *options: str) -> dict[str, str]:
    """Run a project's own tests, and return the environment in which it is installed."""
    env = installed(project, site)
    run(project, env, "pytest", "-q", "-p", "no:cacheprovider", *options)
    return env


@pytest.mark.deep
@pytest.mark.parametrize("name", KINDS)
def test_a_new_plugin_passes_its_own_tests_and_types(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is found, its tests pass, and `mypy --strict` finds nothing."""
    project = tmp_path / "project"
    told = new(name, project, *KINDS[name])
    assert told.exit_code == 0, told.output
    # Options that every pip knows: that of a new environment of Python 3.11 has no `--group`.
    assert f"pip install --editable {project} friendshore-testing mypy pytest\n" in told.output
    env = run_its_tests(project, tmp_path / "site", *(ALL_BUT_THE_KIT if name in KITLESS else ()))
    # What one project's check has found out about friendshore serves the next.
    run(project, {**env, "MYPYPATH": "src"}, "mypy", "--cache-dir", str(tmp_path_factory.getbasetemp() / "mypy"))


@pytest.mark.nightly
def test_the_tests_of_a_new_plugin_read_its_names(tmp_path: Path) -> None:
    """Its author may rename the pack, the kind of rule, the catalog, the question, and the reader."""
    project = tmp_path / "project"
    assert new("acme-all", project, *KINDS["acme-all"]).exit_code == 0
    package = project / "src" / "acme_all"
    names = {
        package / "pack" / "pack.toml": {'id = "acme-all"': 'id = "house-law"'},
        package / "catalog" / "catalog.toml": {'name = "acme-all"': 'name = "house-catalog"'},
        package / "friendshore.toml": {"known-owner": "owner", "acme-all-reliance": "hang-on", '"acme-all"': '"house"'},
        package / "__init__.py": {"acme-all-known-owner": "acme-all-owner"},
        package / "question.py": {"acme-all-reliance": "hang-on"},
        package / "reader.py": {'name = "acme-all"': 'name = "house"'},
        project / "example" / "case.toml": {"all-known-owner": "all-owner", '["acme-all"]': '["house-catalog"]'},
    }
    for file, texts in names.items():
        for old, text in texts.items():
            assert old in file.read_text(), (file, old)
            file.write_text(file.read_text().replace(old, text))
    run_its_tests(project, tmp_path / "site", *ALL_BUT_THE_KIT)


@pytest.mark.parametrize("name", KINDS)
def test_a_new_plugin_is_linted_and_formatted(name: str, tmp_path: Path) -> None:
    """Ruff finds nothing to change, whatever parts are asked for."""
    assert new(name, tmp_path / "project", *KINDS[name]).exit_code == 0
    rules = ("--select", "B,C4,E,F,I,RUF,SIM,UP", "--line-length", "150")
    for words in (("check", *rules), ("format", "--check", "--line-length", "120")):
        run(tmp_path / "project", dict(os.environ), "ruff", *words, "--isolated", "--no-cache", ".")


def test_parts_that_are_not_asked_for_are_not_written(tmp_path: Path) -> None:
    """A catalog comes without code, a rule without a catalog, and no mark of a template is left in any file."""
    for name, options in KINDS.items():
        assert new(name, tmp_path / name, *options).exit_code == 0
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if re.search("%if|%end", path.read_text(encoding="utf-8"))]
        assert not [path for path in files if "PACKAGE" in str(path)]
    assert not list((tmp_path / "acme-rules").rglob("*.csv"))
    package = tmp_path / "Acme.Data" / "src" / "acme_data"
    assert "import" not in (package / "__init__.py").read_text()
    assert "kinds" not in (package / "friendshore.toml").read_text()


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Return the catalog of the starter case."""
    write_starter(tmp_path / "first")
    return tmp_path / "first" / "catalog"


@pytest.mark.deep
def test_a_catalog_of_ones_own_passes_the_tests_it_is_shipped_with(catalog: Path, tmp_path: Path) -> None:
    """The project's own pytest passes."""
    assert new("acme-gallium", tmp_path / "project", "--from", catalog).exit_code == 0
    run_its_tests(tmp_path / "project", tmp_path / "site")


def test_a_catalog_of_ones_own_is_shipped_as_it_is(catalog: Path, tmp_path: Path) -> None:
    """`--from` puts an existing catalog into a package, byte for byte, without code or an example."""
    project = tmp_path / "project"
    assert new("acme-gallium", project, "--from", catalog).exit_code == 0
    shipped = project / "src" / "acme_gallium" / "catalog"
    assert {p.name: p.read_bytes() for p in shipped.iterdir()} == {p.name: p.read_bytes() for p in catalog.iterdir()}
    assert not (project / "example").exists()
    assert all(outcome.passed for outcome in outcomes_of(checks_of(project)))


def test_what_a_shipped_catalog_requires_is_installed_with_it(tmp_path: Path) -> None:
    """The package depends on the distributions of the catalogs that it refers to."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "catalog.toml").write_text(
        'schema = 1\nname = "ours"\nrequires = ["materials", "kazakhstan"]\n'
    )
    assert new("acme-ours", tmp_path / "project", "--from", tmp_path / "ours").exit_code == 0
    project = tomllib.loads((tmp_path / "project" / "pyproject.toml").read_text())["project"]
    assert {re.split("[>=<]", one)[0] for one in project["dependencies"]} == {"friendshore", "friendshore-kazakhstan"}


def test_what_cannot_be_shipped_is_refused(catalog: Path, tmp_path: Path) -> None:
    """A catalog with mistakes, one that is installed, and one that stands in the place of the target."""
    project = tmp_path / "project"
    refused(catalog, "acme", catalog, "--catalog", but=f"--from {catalog}")
    refused(project, "acme-gallium", project, "--from", "world", but="catalogs convert world")
    offers = catalog / "offers.csv"
    offers.write_text(offers.read_text().replace("700 USD/kg", "700 USD/pood"))
    refused(project, "acme-gallium", project, "--from", catalog, but="offers.csv:2 [price]")


@pytest.mark.parametrize("name", ["world", "friendshore-materials"])
def test_a_catalog_of_an_installed_name_is_not_begun(name: str, tmp_path: Path) -> None:
    """A catalog is named after its plugin, so that another plugin's name would clash."""
    refused(tmp_path / "project", name, tmp_path / "project", but="friendshore 0")
    assert new(name, tmp_path / "project", "--rule").exit_code == 0


@pytest.mark.parametrize("name", ["3m", "json", "class", "friendshore", "a b", "-x", "acme!", "über", ".."])
def test_a_name_that_cannot_be_installed_or_imported_is_refused(name: str, tmp_path: Path) -> None:
    """With an example of one that can."""
    refused(tmp_path / "project", "--", name, tmp_path / "project", but="friendshore-acme")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder with anything in it, or a file, stays as it is; an empty folder is used."""
    taken = tmp_path / "taken"
    taken.mkdir()
    assert new("acme", taken).exit_code == 0
    refused(taken, "acme", taken, but="FS080")
    refused(taken, "acme", taken / "README.md")
