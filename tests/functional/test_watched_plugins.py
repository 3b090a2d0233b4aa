"""Code of plugins that ends its process, prints, or fails in a list: it is named, never looks like success, and others are listed all the same."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.plugins import Registry
from friendshore.plugins.loading import places

from .program import call
from .test_lock import CASE, CATALOG
from .test_plugin_edits import CODE, HOUSE_RULE

if TYPE_CHECKING:
    from conftest import Site

ENDS = {
    "exit": "os._exit(0)",
    "exit that the rule tries to hide": "\n        try:\n            os._exit(0)\n        except BaseException:\n            raise SystemExit(0)",
    "system exit": "raise SystemExit(0)",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_rule_that_ends_the_process_is_no_plan(site: Site, tmp_path: Path, how: str) -> None:
    """Exit code 3, and one JSON object that says whose rule it was, whatever the exit code that the rule asked for."""
    case(site, tmp_path, f"import os\n{CODE.replace('return PASS', ENDS[how])}")
    done = call(["plan", str(tmp_path), "--json"], {**os.environ, "PYTHONPATH": str(site.folder)})
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"].startswith("acme-house 1.0 failed: its rule `r` of kind `house` raised: SystemExit")


def test_what_a_rule_prints_is_not_among_the_answers(site: Site, tmp_path: Path) -> None:
    """What it prints when it is imported and when it is asked goes to stderr."""
    case(site, tmp_path, f"print('imported')\n{CODE.replace('return PASS', 'print(chr(97) * 5); return PASS')}")
    done = call(["plan", str(tmp_path), "--json"], {**os.environ, "PYTHONPATH": str(site.folder)})
    assert json.loads(done.stdout)["status"] == "optimal"
    assert "imported" in done.stderr
    assert "aaaaa" in done.stderr


def test_exit_at_import_is_no_plan(site: Site, tmp_path: Path) -> None:
    """`os._exit(0)` when a plugin is imported: exit code 3, and one JSON object that names the plugin."""
    case(site, tmp_path, f"import os\nos._exit(0)\n{CODE}")
    done = call(["plan", str(tmp_path), "--json"], {**os.environ, "PYTHONPATH": str(site.folder)})
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"].startswith("acme-house 1.0 cannot be imported: SystemExit")


def case(site: Site, folder: Path, code: str) -> None:
    """A case that needs a plugin's kind of rule, and the plugin."""
    files = {f"catalog/{name}": text for name, text in CATALOG.items()}
    site.plugin(
        "acme-house",
        'api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n',
        code=code,
        files={**files, "data/rates.csv": "x"},
    )
    (folder / "case.toml").write_text(CASE + HOUSE_RULE)


HOOK = """
from pathlib import Path

from friendshore.hookspecs import hookimpl


@hookimpl
def friendshore_{hook}():
    {body}
"""


def test_a_list_tells_every_catalog_whatever_one_plugin_does(site: Site) -> None:
    """A hook that raises, one that loops, one that ends its process: a row each with its error; those of others as ever."""
    bodies = {
        "raises": "raise OSError('no quotes')",
        "loops": "__import__('time').sleep(10**6)",
        "ends": "__import__('os')._exit(0)",
    }
    for name, body in bodies.items():
        site.plugin(
            f"acme-{name}", f'api = 1\nhook_catalogs = ["{name}"]\n', code=HOOK.format(hook="catalogs", body=body)
        )
    made = HOOK.format(hook="catalogs", body="return [Path(__file__).parent / 'c']")
    files = {f"c/{name}": text for name, text in CATALOG.items()}
    site.plugin("acme-made", 'api = 1\nhook_catalogs = ["acme"]\n', code=made, files=files)
    found = {place.name: place for place in places(Registry.discover(), "catalog", limit=2)}
    assert set(found) == {"acme", *bodies}
    assert found["acme"].folder == site.folder / "acme_made" / "c"
    for name, said in {"raises": "OSError: no quotes", "loops": "within 2 s", "ends": "ended the process"}.items():
        assert said in str(found[name].problem)
        assert f"acme-{name} 1.0" in str(found[name].problem)


def test_rules_and_catalogs_are_listed_though_a_hook_raises(site: Site) -> None:
    """`rules list` and `catalogs list`: exit code 0, with the error in the row of the one that fails."""
    site.plugin(
        "acme-law", 'api = 1\nhook_packs = ["law"]\n', code=HOOK.format(hook="rules", body="raise OSError('gone')")
    )
    site.plugin(
        "acme-tin",
        'api = 1\npacks = ["p"]\n',
        files={
            "p/pack.toml": 'schema = 1\nid = "tin-law"\ntitle = "T"\nas_of = 2026-11-01\n[[rule]]\nkind = "origin-ban"\nid = "no-cn"\ncitation = "x"\ncountries = ["CN"]\nstages = ["mined"]\n'
        },
    )
    done = CliRunner().invoke(app, ["rules", "list", "--json"])
    rows = {row["pack"]: row for row in json.loads(done.stdout)["rules"]}
    assert (done.exit_code, rows["tin-law"]["id"]) == (0, "no-cn")
    assert "acme-law 1.0 failed in its hook `friendshore_rules`: OSError: gone" in rows["law"]["error"]
