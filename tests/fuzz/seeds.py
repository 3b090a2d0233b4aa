"""Valid inputs before mutation: cases with catalogs, runs, workbooks, and a plugin."""

from __future__ import annotations

import io
import multiprocessing
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from friendshore.cli import app

REPOSITORY = Path(__file__).parents[2]
SMALL = ("limits", "money", "objectives", "orders", "recipes", "stock", "tiers")
"""Cases of docs/cases/small."""
RICH = "rich"
"""A case from tests/data that uses every table."""
FIRST = "first"
"""Case that `init` writes."""
CASES = (*SMALL, RICH, FIRST)
PLUGIN = "acme-x"
"""Plugin that `plugins new` writes, with an additional rule pack."""

_IN_RICH = (
    ('catalogs = ["small", "./mine"]', 'catalogs = ["./catalog"]'),
    ('rule = "cn-tungsten"', 'rule = "license-needed"'),
    ('rule = "us-4872"', 'rule = "us-4872-tungsten"\nfrom = 2027-01-01'),
    ("share = 0.65\nfrom = 2027-01-01", "share = 0.65\nphases = [{ from = 2027-01-01 }]"),
)
_LICENSE = '\n[[rule]]\nid = "license-needed"\nkind = "export-control"\nexporters = ["CN"]\neffect = "license"\n'
_PACK = f"""schema = 1
id = "{PLUGIN}-law"
title = "An invented law"
as_of = 2026-06-30
[[rule]]
id = "{PLUGIN}-ban"
kind = "origin-ban"
title = "No gallium refined in China"
citation = "invented"
elements = ["Ga"]
end_uses = ["defense"]
stages = ["refined"]
countries = ["CN"]
phases = [{{ from = 2027-01-01, status = "enacted" }}]
"""


def make(folder: Path) -> None:
    """Write all seeds below a folder: `cases/NAME`, `runs/NAME`, `books/NAME.xlsx`, and `site` with the installed plugin."""
    for name in SMALL:
        shutil.copytree(REPOSITORY / "docs" / "cases" / "small" / name, folder / "cases" / name)
    _rich(folder / "cases" / RICH)
    commands = [("init", str(folder / "cases" / FIRST)), ("plugins", "new", PLUGIN, str(folder / "project"))]
    for name in CASES:
        case = str(folder / "cases" / name)
        commands += [("lock", case), ("plan", case, "--out", str(folder / "runs" / name), "-q", "--workers", "1")]
        commands += [("case", "to-xlsx", case, "--out", str(folder / "books" / f"{name}.xlsx"))]
    (folder / "books").mkdir()
    in_process(commands)
    _plugin(folder)


def in_process(commands: Sequence[tuple[str, ...]]) -> None:
    """Run commands in another process, so that no solver thread exists when inputs are forked."""
    process = multiprocessing.get_context("fork").Process(target=_all, args=(commands,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("the seeds could not be created")


def _all(commands: Sequence[tuple[str, ...]]) -> None:
    for arguments in commands:
        output = io.StringIO()
        try:
            with redirect_stdout(output), redirect_stderr(output):
                app(list(arguments), prog_name="friendshore")
        except SystemExit as stop:
            if stop.code:
                sys.stderr.write(output.getvalue())
                raise RuntimeError(f"friendshore {' '.join(arguments)} ended in {stop.code}") from stop


def _rich(folder: Path) -> None:
    data = REPOSITORY / "tests" / "data"
    shutil.copytree(data / "good-case", folder)
    shutil.copytree(data / "good-catalog", folder / "catalog")
    text = (folder / "case.toml").read_text(encoding="utf-8")
    for old, new in _IN_RICH:
        assert old in text, f"tests/data/good-case no longer says {old}"
        text = text.replace(old, new)
    (folder / "case.toml").write_text(text + _LICENSE, encoding="utf-8")


def _plugin(folder: Path) -> None:
    project = folder / "project"
    package = folder / "site" / PLUGIN.replace("-", "_")
    shutil.copytree(project / "src" / package.name, package)
    (package / "law").mkdir()
    (package / "law" / "pack.toml").write_text(_PACK, encoding="utf-8")
    in_process([("rules", "show", str(package / "law"))])
    manifest = package / "friendshore.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + 'packs = ["law"]\n', encoding="utf-8")
    info = folder / "site" / f"{package.name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 0.1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[friendshore]\n{PLUGIN} = {package.name}\n", encoding="utf-8")
    shutil.copytree(project / "example", folder / "site-case")
    case = folder / "site-case" / "case.toml"
    old = f'catalogs = ["{PLUGIN}"]\n'
    text = case.read_text(encoding="utf-8")
    assert old in text, f"`plugins new` no longer writes {old}"
    case.write_text(text.replace(old, f'{old}packs = ["{PLUGIN}-law"]\n'), encoding="utf-8")
