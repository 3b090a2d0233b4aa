"""The hooks for commands, output formats, checks of runs, and formats of cases: the plugin that each docstring shows works."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from friendshore import hookspecs, load_case
from friendshore.cli import app
from friendshore.plugins import Registry

from ..unit import tin_case

if TYPE_CHECKING:
    from conftest import Site


CATALOG = {
    "facilities.csv": "id,operator,country,source\nmill,Mill Ltd,MY,s\n",
    "capacity.csv": "facility,from,per_year,status,source\nmill,,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\nfrom-mill,mill,tin,30 USD/kg,s,0,s\n",
}


def installed(site: Site, hook: Callable[..., Any], edit: Callable[[str], str] = str) -> None:
    """Install the plugin that a hook's docstring shows, with its code edited."""
    text = textwrap.dedent("    " + (hook.__doc__ or ""))
    package = re.search(r"`(\w+)/friendshore.toml`", text)
    assert package is not None
    manifest, code = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("toml", "python"))
    assert manifest is not None
    assert code is not None
    site.plugin(package[1].replace("_", "-"), manifest[1], edit(code[1].replace('\\"', '"')))


def forget(package: str) -> None:
    """Have Python import a package again that was edited."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def run(*words: str | Path) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The file of a small case."""
    tin_case.write_catalog(tmp_path, CATALOG)
    tin_case.write_case(tmp_path, tin_case.CASE)
    return tmp_path / "case.toml"


def test_a_command_stands_in_its_group(site: Site, case: Path) -> None:
    """It is listed by help, run with its options, and its errors are printed with `--json` too."""
    installed(site, hookspecs.friendshore_commands)
    assert "Count the offers of a catalog." in run("catalogs", "--help").output
    assert "CATALOG" in run("catalogs", "count", "--help").output
    assert json.loads(run("catalogs", "count", case.parent / "ours", "--json").stdout) == {"offers": 1}
    missing = run("catalogs", "count", "no-such", "--json")
    assert (missing.exit_code, bool(json.loads(missing.stdout)["errors"])) == (3, True)


def test_a_command_begins_a_group(site: Site, case: Path) -> None:
    """A first word that no group has makes one, which help lists."""
    installed(site, hookspecs.friendshore_commands)
    package = site.folder / "acme_hello"
    for file in (package / "friendshore.toml", package / "__init__.py"):
        file.write_text(file.read_text().replace("catalogs count", "acme count"))
    assert "acme " in run("--help").output
    assert "Count the offers" in run("acme", "--help").output
    assert run("acme", "count", case.parent / "ours").exit_code == 0
    assert run("acme", "other").exit_code == 2


def test_a_command_of_the_kernel_is_not_replaced(site: Site) -> None:
    """A plugin that brings a command of a kernel's name is broken."""
    site.plugin("acme-plan", 'api = 1\n[commands]\n"case roll" = "Ours."\nplan = "Ours."\n')
    (info,) = [one for one in Registry.discover().plugins if one.distribution == "acme-plan"]
    assert info.status == "broken"
    assert info.error.count("FS413") == 2


@pytest.mark.parametrize("body", ["raise RuntimeError('no')", "import sys; sys.exit(0)"])
def test_a_command_that_fails_names_its_plugin(site: Site, case: Path, body: str) -> None:
    """Neither an exception nor an exit looks like success."""
    installed(site, hookspecs.friendshore_commands, lambda code: code.replace("return 0\n", f"{body}\n"))
    found = run("catalogs", "count", case.parent / "ours")
    assert found.exit_code == 3
    assert "acme-hello 1.0 failed: its command `catalogs count`" in found.stderr


def test_a_blocked_command_is_refused(site: Site, case: Path) -> None:
    """`--block` holds for commands too."""
    installed(site, hookspecs.friendshore_commands)
    found = run("catalogs", "count", case.parent / "ours", "--block", "acme-hello")
    assert found.exit_code == 3
    assert "is blocked by --block" in found.stderr


def test_a_format_writes_reports(site: Site, case: Path) -> None:
    """By the ending of `--out`, and by name on stdout; a format that fails names its plugin and leaves no file."""
    installed(site, hookspecs.friendshore_formats)
    assert run("plan", case, "--out", case.parent / "run").exit_code == 0
    assert run("report", case.parent / "run", "--out", case.parent / "page.txt").exit_code == 0
    assert "tin" in (case.parent / "page.txt").read_text()
    assert (
        run("report", case.parent / "run", "--format", "txt").stdout.strip()
        == (case.parent / "page.txt").read_text().strip()
    )
    assert run("report", case.parent / "run", "--format", "pdf").exit_code == 3
    assert run("report", case.parent / "run", "--out", case.parent / "page.pdf").exit_code == 2
    package = site.folder / "acme_text" / "__init__.py"
    package.write_text(package.read_text().replace(", 72).encode()", ", 72)"))
    forget("acme_text")
    bad = run("report", case.parent / "run", "--out", case.parent / "bad.txt")
    assert (bad.exit_code, (case.parent / "bad.txt").exists()) == (3, False)


def test_a_check_fails_a_run(site: Site, case: Path) -> None:
    """`verify` asks it and refuses a run for what it finds; a check that fails is an error, never a pass."""
    assert run("plan", case, "--out", case.parent / "run").exit_code == 0
    installed(site, hookspecs.friendshore_checks)
    assert run("verify", case.parent / "run").exit_code == 0
    package = site.folder / "acme_audit" / "__init__.py"
    code = package.read_text()
    package.write_text(code.replace("date.today().year", "1999"))
    forget("acme_audit")
    found = run("verify", case.parent / "run", "--json")
    assert found.exit_code == 4
    assert [one["message"] for one in json.loads(found.stdout)["findings"]] == ["the run was not made this year"]
    package.write_text(code.replace("return CheckAnswer()", "return None"))
    forget("acme_audit")
    assert run("verify", case.parent / "run").exit_code == 3


@pytest.mark.parametrize("file", ["certificate.json", "SHA256SUMS.sig"])
@pytest.mark.usefixtures("site")
def test_a_file_that_no_check_reads_fails_the_run(case: Path, file: str) -> None:
    """A run with a certificate or a signature isn't verified where no installed check reads it; nor is a signature ignored that was asked about."""
    assert run("plan", case, "--out", case.parent / "run").exit_code == 0
    verified = json.loads(run("verify", case.parent / "run", "--json").stdout)
    assert (verified["verified"], verified["optimality_proved"]) == (True, False)
    (case.parent / "run" / file).write_text("{}")
    found = run("verify", case.parent / "run", "--json")
    assert found.exit_code == 4
    assert any("friendshore-proof" in one.get("fix", "") for one in json.loads(found.stdout)["findings"])
    for words in (
        ("verify", case.parent / "run", "--signed-by", case),
        ("plan", case, "--out", case.parent / "new", "--certify"),
    ):
        assert run(*words).exit_code == 3
    assert not (case.parent / "new").exists()


def test_a_case_format_reads_cases(site: Site, case: Path) -> None:
    """A case in it equals the one in TOML, is planned alike, and its errors name its keys."""
    installed(site, hookspecs.friendshore_case_formats)
    data = tomllib.loads(case.read_text())
    data["case"]["start"] = str(data["case"]["start"])
    file = case.with_suffix(".json")
    file.write_text(json.dumps(data))
    assert load_case(file).but(file=case) == load_case(case)
    assert run("plan", file, "--json", "--quiet").exit_code == 0
    file.write_text(json.dumps(data | {"case": {**data["case"], "periods": "many"}}))
    found = json.loads(run("plan", file, "--json", "--quiet").stdout)["errors"]
    assert [(one["file"], one["column"]) for one in found] == [(str(file), "case.periods")]
    file.write_text("{")
    assert run("plan", file).exit_code == 2


def test_a_case_in_a_workbook_names_the_plugin_that_is_missing(site: Site, case: Path) -> None:
    """A workbook is never read as TOML, by no command, and the commands that write and convert workbooks name the plugin too."""
    file = case.with_suffix(".xlsx")
    file.write_bytes(b"PK")
    for command in ("plan", "check", "lock", "alternatives"):
        found = run(command, file)
        assert found.exit_code == 3, found.output
        assert "pip install friendshore-workbooks" in found.stderr
    for words in (("case", "to-xlsx"), ("case", "from-xlsx"), ("catalogs", "convert")):
        found = run(*words, case)
        assert found.exit_code != 0
        assert "pip install friendshore-workbooks" in found.output
