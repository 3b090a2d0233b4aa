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
from friendshore_testing.check import outcomes_of
from friendshore_testing.subjects import checks_of

KINDS = {
    "friendshore-acme": (),
    "acme-rules": ("--rule",),
    "Acme.Data": ("--catalog",),
    "acme-law": ("--pack",),
    "acme-asks": ("--question",),
    "acme-erp": ("--reader",),
    "acme-all": ("--catalog", "--rule", "--pack", "--question", "--reader"),
}
ALL_BUT_THE_KIT = ("-k", "not conforms")
"""Of the plugin with a rule alone: the conformance kit takes longest over rules, and is run on the same rule in the plugin with both, as on each of the other parts."""
KITLESS = ("acme-rules", "acme-all")


def new(*arguments: str) -> Result:
    """Runs `plugins new` and returns what it said."""
    return CliRunner().invoke(app, ["plugins", "new", *arguments])


def installed(project: Path, site: Path) -> dict[str, str]:
    """The environment in which a project looks installed, as an editable install would leave it."""
    told = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    [(entry, package)] = told["entry-points"]["friendshore"].items()
    info = site / f"{package}-{told['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
    (info / "entry_points.txt").write_text(f"[friendshore]\n{entry} = {package}\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(project / "src")])}


def run(project: Path, env: dict[str, str], *module: str) -> None:
    """Runs a tool in a project, and shows what it says if it is not content."""
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=project, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.deep
@pytest.mark.parametrize("name", KINDS)
def test_a_new_plugin_passes_its_own_tests_and_types(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Catalog, rule or both: found by friendshore, its tests pass, and `mypy --strict` has nothing to say."""
    project = tmp_path / "project"
    told = new(name, str(project), *KINDS[name])
    assert told.exit_code == 0, told.output
    # Options that every pip knows: that of a new environment of Python 3.11 has no `--group`.
    assert f"pip install --editable {project} mypy pytest\n" in told.output
    env = installed(project, tmp_path / "site")
    run(project, env, "pytest", "-q", "-p", "no:cacheprovider", *(ALL_BUT_THE_KIT if name in KITLESS else ()))
    cache = (
        tmp_path_factory.getbasetemp() / "mypy"
    )  # what one project's check has found out of friendshore serves the next
    run(project, {**env, "MYPYPATH": "src"}, "mypy", "--cache-dir", str(cache))


@pytest.mark.nightly
def test_the_tests_of_a_new_plugin_read_its_names(tmp_path: Path) -> None:
    """Its author renames the pack, the kind of rule, the catalog, the question and the reader: no test pins what they are called."""
    project = tmp_path / "project"
    assert new("acme-all", str(project), *KINDS["acme-all"]).exit_code == 0
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
    run(project, installed(project, tmp_path / "site"), "pytest", "-q", "-p", "no:cacheprovider", *ALL_BUT_THE_KIT)


def test_parts_that_are_not_asked_for_are_not_written(tmp_path: Path) -> None:
    """A catalog comes without code, a rule without a catalog, and no mark of a template is left in any file."""
    for name, options in KINDS.items():
        assert new(name, str(tmp_path / name), *options).exit_code == 0
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        assert files
        for path in files:
            text = path.read_text(encoding="utf-8")
            assert "%if" not in text
            assert "%end" not in text
            assert "PACKAGE" not in str(path)
    assert not list((tmp_path / "acme-rules").rglob("*.csv"))
    code = (tmp_path / "Acme.Data" / "src" / "acme_data" / "__init__.py").read_text()
    assert "import" not in code
    assert "kinds" not in (tmp_path / "Acme.Data" / "src" / "acme_data" / "friendshore.toml").read_text()


def shipped_from(folder: Path) -> tuple[Path, Path]:
    """A catalog, and the project that `--from` makes of it."""
    assert CliRunner().invoke(app, ["init", "--start", "2026-10-01", str(folder / "first")]).exit_code == 0
    catalog, project = folder / "first" / "catalog", folder / "project"
    told = new("acme-gallium", str(project), "--from", str(catalog))
    assert told.exit_code == 0, told.output
    return catalog, project


@pytest.mark.deep
def test_a_catalog_of_ones_own_passes_the_tests_it_is_shipped_with(tmp_path: Path) -> None:
    """As its author runs them: the project's own pytest."""
    _, project = shipped_from(tmp_path)
    run(project, installed(project, tmp_path / "site"), "pytest", "-q", "-p", "no:cacheprovider")


def test_a_catalog_of_ones_own_is_shipped_as_it_is(tmp_path: Path) -> None:
    """`--from` puts an existing catalog into a package, byte for byte, with no code and nothing invented."""
    catalog, project = shipped_from(tmp_path)
    shipped = project / "src" / "acme_gallium" / "catalog"
    assert {p.name: p.read_bytes() for p in shipped.iterdir()} == {p.name: p.read_bytes() for p in catalog.iterdir()}
    assert not (project / "example").exists()
    assert all(outcome.holds for outcome in outcomes_of(checks_of(project)))


def test_what_a_shipped_catalog_requires_is_installed_with_it(tmp_path: Path) -> None:
    """The package depends on the distributions that bring the catalogs it refers to."""
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "catalog.toml").write_text('schema = 1\nname = "ours"\nrequires = ["materials", "kazakhstan"]\n')
    assert new("acme-ours", str(tmp_path / "project"), "--from", str(folder)).exit_code == 0
    project = tomllib.loads((tmp_path / "project" / "pyproject.toml").read_text())["project"]
    needed = {re.split("[>=<]", one)[0] for one in project["dependencies"]}
    assert needed == {"friendshore", "friendshore-kazakhstan"}


def test_a_catalog_with_mistakes_is_not_shipped(tmp_path: Path) -> None:
    """Its mistakes are told with file, row and column, and nothing is written."""
    CliRunner().invoke(app, ["init", "--start", "2026-10-01", str(tmp_path / "first")])
    offers = tmp_path / "first" / "catalog" / "offers.csv"
    offers.write_text(offers.read_text().replace("700 USD/kg", "700 USD/pood"))
    told = new("acme-gallium", str(tmp_path / "project"), "--from", str(offers.parent))
    assert told.exit_code == 2
    assert "offers.csv:2 [price]" in told.output
    assert not (tmp_path / "project").exists()


def test_an_installed_catalog_is_not_shipped_twice(tmp_path: Path) -> None:
    """Its name would be another plugin's; how to make it one's own is told."""
    told = new("acme-world", str(tmp_path / "project"), "--from", "world")
    assert told.exit_code == 2
    assert "catalogs convert world" in " ".join(told.output.split())
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("name", ["world", "friendshore-materials"])
def test_a_catalog_of_an_installed_name_is_not_begun(name: str, tmp_path: Path) -> None:
    """A catalog is called after its plugin; a name that another plugin has would clash with it."""
    told = new(name, str(tmp_path / "project"))
    assert told.exit_code == 2
    assert "friendshore 0" in " ".join(told.output.split())
    assert new(name, str(tmp_path / "project"), "--rule").exit_code == 0


@pytest.mark.parametrize("name", ["3m", "json", "class", "friendshore", "a b", "-x", "acme!", "über", ".."])
def test_a_name_that_cannot_be_installed_or_imported_is_refused(name: str, tmp_path: Path) -> None:
    """The reason is told, and nothing is written."""
    told = CliRunner().invoke(app, ["plugins", "new", "--", name, str(tmp_path / "project")])
    assert told.exit_code == 2
    assert "NAME" in told.output
    assert "friendshore-acme" in told.output
    assert not (tmp_path / "project").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder with anything in it, or a file, is left as it is; an empty folder will do."""
    taken = tmp_path / "taken"
    taken.mkdir()
    assert new("acme", str(taken)).exit_code == 0
    before = {path: path.read_bytes() for path in taken.rglob("*") if path.is_file()}
    told = new("acme", str(taken))
    assert told.exit_code == 2
    assert "is there already" in told.output
    assert {path: path.read_bytes() for path in taken.rglob("*") if path.is_file()} == before
    assert new("acme", str(taken / "README.md")).exit_code == 2


def test_a_catalog_given_as_the_target_is_told_how_to_ship_it(tmp_path: Path) -> None:
    """`--catalog FOLDER` with a catalog in that folder: the command that was meant is named."""
    CliRunner().invoke(app, ["init", "--start", "2026-10-01", str(tmp_path / "first")])
    catalog = tmp_path / "first" / "catalog"
    told = new("acme", str(catalog), "--catalog")
    assert told.exit_code == 2
    assert f"--from {catalog}" in " ".join(told.output.split())
