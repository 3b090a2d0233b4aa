"""Any single change to any file of a plugin, between a plan and its check: it is refused, or said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from friendshore.case import load_case
from friendshore.errors import FriendshoreError
from friendshore.plugins import Registry
from friendshore.recommend import Lock, Recommendation, check_lock, gather, lock_of, plan, verdicts, verify_run
from friendshore.run import write_run

from .test_lock import CASE, CATALOG

if TYPE_CHECKING:
    from conftest import Site

CODE = """
from pathlib import Path
from typing import Literal

from friendshore.domain.use import PASS
from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house"] = "house"

    def judge(self, offer, move, use):
        assert (Path(__file__).parent / "data" / "rates.csv").exists()
        return PASS


@hookimpl
def friendshore_rules():
    return [House]
"""
FILES = {
    **{f"catalog/{name}": text for name, text in CATALOG.items()},
    "data/rates.csv": "country,rate\nMY,0.05\n",
    "data/ledger.sqlite": "SQLite format 3 and what follows",
    "data/model.pickle": "a pickle",
    "data/table.json": "{}",
    "data/leer": "",
    "deep/er/still/note.txt": "text\n",
    "helper.py": "RATE = 1\n",
    "legacy.pyc": "compiled without its source",
    "native.cpython-311-x86_64-linux-gnu.so": "\x7fELF compiled",
    "types.pyi": "RATE: int\n",
    "py.typed": "",
    "README.md": "# Acme\n",
    "größe.txt": "1 m",
    ".hidden": "x",
}
HOUSE_RULE = """[[rule]]
kind = "house"
id = "r"
phases = [{ from = 2026-01-01 }]
"""


@pytest.fixture
def made(site: Site, tmp_path: Path) -> Recommendation:
    """Return a plan that uses a kind of rule and a catalog of one plugin with files of every sort."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n', code=CODE, files=FILES)
    (tmp_path / "case.toml").write_text(CASE + HOUSE_RULE)
    return plan(load_case(tmp_path), registry=Registry.discover())


@contextmanager
def edited(package: Path, random: Random) -> Iterator[str]:
    """Edit one file of a package, and undo it."""
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    path = random.choice(files)
    was = path.read_bytes()
    how = random.choice(["flip", "cut", "append", "empty", "remove", "rename", "add", "swap"])
    other = path.with_name(random.choice(["new.py", "new.csv", "new.so", "new", f"{path.name}.bak", "catalog.txt"]))
    if how in ("cut", "empty", "flip") and not was:
        how = "append"
    at = random.randrange(len(was)) if was else 0
    if how in ("rename", "swap"):
        path.rename(other)
        if how == "swap":
            path.write_bytes(was + b" ")
    elif how == "add":
        other.write_bytes(b"")
    elif how == "remove":
        path.unlink()
    else:
        flipped = was[:at] + bytes([was[at] ^ 1 << random.randrange(8)]) + was[at + 1 :] if how == "flip" else b""
        path.write_bytes({"flip": flipped, "cut": was[:at], "append": was + b"\n", "empty": b""}[how])
    try:
        yield f"{how} of {path}"
    finally:
        other.unlink(missing_ok=True)
        path.write_bytes(was)


def locked(folder: Path) -> Lock:
    """Return the lock of a case as things are."""
    return lock_of(gather(load_case(folder), Registry.discover()))


def told_by_lock(folder: Path, lock: Lock) -> str:
    """Return why the case is refused; empty if it isn't."""
    try:
        check_lock(lock, locked(folder), folder / "case.toml")
    except FriendshoreError as error:
        return str(error)
    return ""


def told_by_verify(run: Path) -> str:
    """Return what a check of the run reports."""
    try:
        check = verify_run(run, Registry.discover())
    except FriendshoreError as error:
        return str(error)
    return " ".join([*map(str, check.findings), *map(str, check.unchecked), *check.differs])


@pytest.mark.deep
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("count", "verified", "seed"),
    [
        (16, 4, 10),
        pytest.param(500, 125, 10, marks=pytest.mark.nightly),
        pytest.param(500, 125, 11, marks=pytest.mark.nightly),
    ],
)
def test_every_edit_of_a_plugin_is_said(
    made: Recommendation, site: Site, tmp_path: Path, count: int, verified: int, seed: int
) -> None:
    """`--locked` refuses all, and `verify` reports all of those that it is asked about."""
    lock, random = lock_of(made.gathered), Random(seed)
    assert not told_by_lock(tmp_path, lock)
    write_run(tmp_path / "run", made.run, made.facts(), verdicts(made.plan))
    for number in range(count):
        with edited(site.folder / "acme_house", random) as edit:
            assert told_by_lock(tmp_path, lock), f"{number}: {edit} passed"
            assert number >= verified or told_by_verify(tmp_path / "run"), f"{number}: {edit} was not said"


def test_what_python_keeps_itself_is_no_edit(made: Recommendation, site: Site, tmp_path: Path) -> None:
    """`__pycache__` comes and goes."""
    cache = site.folder / "acme_house" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "x.cpython-311.pyc").write_bytes(os.urandom(8))
    assert not told_by_lock(tmp_path, lock_of(made.gathered))


def test_the_run_names_kinds_and_files_of_plugins(made: Recommendation) -> None:
    """With one digest over all files, and each file."""
    (kind,) = (one for one in made.run.plugins if one.kind == "rule kind")
    (plugin,) = (one for one in made.run.plugins if one.kind == "plugin")
    assert (kind.name, kind.distribution, kind.digest) == ("house", "acme-house 1.0", plugin.digest)
    assert set(plugin.files) >= {f"acme_house/{name}" for name in (*FILES, "__init__.py", "friendshore.toml")}


def test_what_lies_beside_the_package_counts(made: Recommendation, site: Site, tmp_path: Path) -> None:
    """A module that the distribution installs beside its package is a file of the plugin."""
    (site.folder / "_acme_native.so").write_text("compiled")
    record = site.folder / "acme_house-1.0.dist-info" / "RECORD"
    record.write_text("_acme_native.so,,\nacme_house/__init__.py,,\nacme_house-1.0.dist-info/RECORD,,\n")
    lock = locked(tmp_path)
    (site.folder / "_acme_native.so").write_text("other")
    assert "_acme_native.so changed" in told_by_lock(tmp_path, lock)


def test_a_link_in_a_package_counts_as_what_it_leads_to(made: Recommendation, site: Site, tmp_path: Path) -> None:
    """A linked folder is part of the package; a link back into itself, or to nothing, does no harm."""
    outside, package = tmp_path / "outside", site.folder / "acme_house"
    outside.mkdir()
    (outside / "rates.csv").write_text("1")
    try:
        for name, target in (("linked", outside), ("loop", package), ("gone", tmp_path / "nowhere")):
            (package / name).symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links")
    lock = locked(tmp_path)
    (outside / "rates.csv").write_text("2")
    assert "acme_house/linked/rates.csv changed" in told_by_lock(tmp_path, lock)
