"""Shared fixtures: sealed discovery, and plugins that look installed."""

from __future__ import annotations

import gc
import hashlib
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from friendshore.catalog import several
from friendshore.plugins import attribution, isolated, manifest, registry
from friendshore.plugins.manifest import Plugin

from .functional.program import _BEGUN, await_starters, leave_starters, python, shared_folder
from .property import settings as _property_settings  # noqa: F401 - Hypothesis is set up before any test is read.
from .slow import listed, name_of

HERE = Path(__file__).parent

gc.disable()  # until all tests are collected: next to nothing of that is garbage

if sys.dont_write_bytecode and sys.pycache_prefix is None:
    # Who wants no bytecode beside the sources gets none; but each of the hundreds of processes that tests start would compile friendshore
    # and all that it needs anew, so theirs is kept with pytest's cache.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(HERE.parent / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

os.environ["SOURCE_DATE_EPOCH"] = "1795694400"
"""Every test and every program that it starts runs on 2026-11-26, so that the age of data stays the same."""

isolated.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": python})  # type: ignore[attr-defined]
"""Child processes of friendshore are forked from one that has imported it. Commands that tests start begin a new Python, as users' do."""

SOURCES = [HERE.parent / name for name in ("catalogs", "plugins")]
"""Folders with the catalogs of this repository. No test changes them, so each process reads them once."""
_OWN_CATALOGS = several.CatalogCache()
_draft = several.CatalogCache.draft


def draft(once: several.CatalogCache, head: Any, *known: Any) -> Any:
    """Return a catalog of this repository from the cache. Read any other."""
    folder = several._tables_of(head.place)
    is_ours = isinstance(folder, Path) and any(source in folder.parents for source in SOURCES)
    return _draft(_OWN_CATALOGS if is_ours else once, head, *known)


several.CatalogCache.draft = draft  # type: ignore[method-assign]


@cache
def discovered(*_: object) -> tuple[Plugin, ...]:
    return manifest.discover()


def discover() -> tuple[Plugin, ...]:
    if manifest.distributions is not distributions:
        return manifest.discover()
    changed = (folder.stat().st_mtime_ns for folder in map(Path, sys.path) if folder.exists())
    return discovered(*sys.path, *map(id, sys.meta_path), *changed)


registry.discover = discover

shared_folder()  # made before there are workers, so that they all find the same

SAMPLE = 2
"""Cases of a test with the mark `deep` or `browser` that CI runs. The others get the mark `nightly`, unless it is `deep(whole=True)` or in `slow.txt`."""

SEALED = frozenset({"unit", "property"})
"""Folders whose tests get registries as objects, without installed plugins."""


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions, as `pip` would leave it."""

    folder: Path

    def plugin(
        self,
        name: str,
        manifest: str | None = "api = 1\n",
        code: str = "",
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
        entry: str = "",
        requires: Sequence[str] = (),
    ) -> str:
        """Install a plugin, and return the name of its package.

        Args:
            name: Distribution. The package has the same name with underscores.
            manifest: Text of its `friendshore.toml`. None for no manifest.
            code: Text of its `__init__.py`.
            version: Version.
            files: Further files of the package, by path.
            entry: Target of its entry point. Empty means the package.
            requires: Dependencies.
        """
        package = name.replace("-", "_")
        info = self.folder / f"{package}-{version}.dist-info"
        requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        _write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}")
        _write(info / "entry_points.txt", f"[friendshore]\n{name} = {entry or package}\n")
        _write(self.folder / package / "__init__.py", code)
        if manifest is not None:
            _write(self.folder / package / "friendshore.toml", manifest)
        for path, text in (files or {}).items():
            _write(self.folder / package / path, text)
        return package

    def official(self, name: str) -> None:
        """Make an official plugin of this repository discoverable."""
        info = self.folder / f"{name.replace('-', '_')}-0.1.0.dist-info"
        _write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
        _write(info / "entry_points.txt", f"[friendshore]\nofficial = {name.replace('-', '_')}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Use one more worker than processors, since tests wait for child processes and time limits."""
    return (yield) + 1


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let each worker start in another folder, so that in a new clone they share the compilation of files."""
    report = yield
    worker = getattr(collector.config, "workerinput", None)
    if worker is not None and isinstance(collector, pytest.Session | pytest.Directory):
        _PLACES.update((node, place) for place, node in enumerate(report.result))
        first = len(report.result) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        report.result = report.result[first:] + report.result[:first]
    return report


_PLACES: dict[pytest.Item | pytest.Collector, int] = {}
"""Position of a file or folder in its folder."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", metavar="SEED", help="run files, and the tests of each, in a random order")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests equally in all workers: as without workers, or in the random order of `--shuffle`."""
    items.sort(key=lambda item: [_PLACES.get(node, 0) for node in item.listchain()])
    slow = listed()
    cases = Counter[str]()
    for item in items:
        name = name_of(item)
        mark = item.get_closest_marker("deep") or item.get_closest_marker("browser")
        if mark is not None and not mark.kwargs.get("whole"):
            cases[name] += 1
            if cases[name] > SAMPLE:
                item.add_marker(pytest.mark.nightly)
        elif mark is None and name in slow and not config.pluginmanager.has_plugin("tests.slow"):
            item.add_marker(pytest.mark.deep)
    seed = config.getoption("--shuffle")
    if seed is not None:  # the tests of a file stay together: what it makes once would be made again and again
        draw_key = lambda text: hashlib.sha256(f"{seed} {text}".encode()).digest()  # noqa: E731
        items.sort(
            key=lambda item: (draw_key(item.path.relative_to(config.rootpath).as_posix()), draw_key(item.nodeid))
        )


def pytest_collection_finish() -> None:
    """Exempt everything imported so far from garbage collection."""
    attribution._PROCESS.ran = {}  # code of plugins that ran to find the checks of them: no test's plan is made after it
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


def pytest_unconfigure() -> None:
    await_starters()


def _still_open() -> dict[int, object]:
    """Return open files, open sockets, and running child processes by their ids, frozen ones included. Starters are awaited later."""
    gc.unfreeze()
    objects = [
        thing for thing in gc.get_objects() if issubclass(type(thing), FileIO | socket.socket | subprocess.Popen)
    ]
    gc.freeze()
    return {
        id(thing): thing
        for thing in objects
        if (thing.returncode is None if isinstance(thing, subprocess.Popen) else _is_open(thing))
        and thing not in _BEGUN
    }


def _is_open(thing: Any) -> bool:
    return not thing.closed if isinstance(thing, FileIO) else thing.fileno() >= 0


@pytest.fixture(scope="session", autouse=True)
def _all_closed() -> Iterator[None]:
    """Fail the last test of this process if something is open that wasn't before the first: pytest makes errors of warnings, but not of those at exit."""
    before = _still_open()
    yield
    leave_starters()
    gc.collect()
    assert [thing for key, thing in _still_open().items() if key not in before] == []


@pytest.fixture
def thawed() -> Iterator[None]:
    """Undo that for a test, as in a normal process."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.fixture(autouse=True)
def _sealed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide installed plugins from unit and property tests."""

    def refuse() -> Iterator[Distribution]:
        raise AssertionError("this test is sealed: give it a registry by Registry.of(…), or use the fixture `site`")

    if SEALED.intersection(request.path.relative_to(HERE).parts):
        monkeypatch.setattr(manifest, "distributions", refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Forget which code of plugins ran in a test, since a command is a process of its own."""
    before = dict(attribution._PROCESS.ran)
    try:
        return (yield)
    finally:
        attribution._PROCESS.ran = before


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _sealed: None) -> Iterator[Site]:
    """Return an empty folder of installed distributions, the only one that discovery sees."""
    folder = tmp_path / "site"
    folder.mkdir()
    find: Callable[[], Iterator[Distribution]] = lambda: iter(distributions(path=[str(folder)]))  # noqa: E731
    monkeypatch.setattr(manifest, "distributions", find)
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
