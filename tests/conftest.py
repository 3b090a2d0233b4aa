"""What all tests share: discovery is sealed, and plugins that are not installed can be made to look as if they were."""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from friendshore.catalog import several
from friendshore.plugins import attribution, isolated, manifest, registry
from friendshore.plugins.manifest import Plugin

from .functional.program import python, shared_folder
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
"""Every test, and every program that one starts, runs on 2026-11-26: what is told of the age of data stays the same."""

isolated.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": python})  # type: ignore[attr-defined]
"""What friendshore asks of another process is asked of one that is forked from one that has imported it; commands that tests start begin
Python anew for it, as users' do."""

SOURCES = [HERE.parent / name for name in ("catalogs", "plugins")]
"""Where the catalogs of this repository lie, which no test changes: a process reads each of them once."""
_OWN_CATALOGS = several.CatalogCache()
_draft = several.CatalogCache.draft


def draft(once: several.CatalogCache, head: Any, *known: Any) -> Any:
    """A catalog of this repository as it was read for another test, if it was; any other is read."""
    place = several._tables_of(head.place)
    ours = isinstance(place, Path) and any(source in place.parents for source in SOURCES)
    return _draft(_OWN_CATALOGS if ours else once, head, *known)


several.CatalogCache.draft = draft  # type: ignore[method-assign]


@cache
def discovered(*_: object) -> tuple[Plugin, ...]:
    """What is installed, where the same was looked for in the same folders."""
    return manifest.discover()


def discover() -> tuple[Plugin, ...]:
    """What is installed; where a test has other distributions than this environment has, it is looked for anew."""
    if manifest.distributions is not distributions:
        return manifest.discover()
    changed = (folder.stat().st_mtime_ns for folder in map(Path, sys.path) if folder.exists())
    return discovered(*sys.path, *map(id, sys.meta_path), *changed)


registry.discover = discover

shared_folder()  # made before there are workers, so that they all find the same

SAMPLE = 2
"""Cases of a test with the mark `deep` or `browser` that CI runs; the others get the mark `nightly`. Of `deep(whole=True)`, and of those in `slow.txt`, it runs all."""

SEALED = frozenset({"unit", "property"})
"""Folders whose tests get registries as objects, never what happens to be installed."""


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
        """Installs a plugin.

        Args:
            name: its distribution; the package has the same name with underscores.
            manifest: text of its `friendshore.toml`; None: it has none.
            code: text of its `__init__.py`.
            version: its version.
            files: further files of the package, by path.
            entry: what its entry point names, if not the package.
            requires: what it depends on.

        Returns:
            The name of its package.
        """
        package = name.replace("-", "_")
        info = self.folder / f"{package}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
        _write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")
        _write(info / "entry_points.txt", f"[friendshore]\n{name} = {entry or package}\n")
        _write(self.folder / package / "__init__.py", code)
        if manifest is not None:
            _write(self.folder / package / "friendshore.toml", manifest)
        for path, text in (files or {}).items():
            _write(self.folder / package / path, text)
        return package

    def official(self, name: str) -> None:
        """Let discovery see an official plugin, whose package is the one of the repository."""
        info = self.folder / f"{name.replace('-', '_')}-0.1.0.dist-info"
        _write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
        _write(info / "entry_points.txt", f"[friendshore]\nofficial = {name.replace('-', '_')}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than processors: tests wait for what they start and for limits of time, and a processor would wait with them."""
    return (yield) + 1


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Each worker begins to read a folder elsewhere: in a fresh clone each then compiles a part of the files for all, not all for itself."""
    report = yield
    worker = getattr(collector.config, "workerinput", None)
    if worker is not None and isinstance(collector, pytest.Session | pytest.Directory):
        _PLACES.update((node, place) for place, node in enumerate(report.result))
        first = len(report.result) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        report.result = report.result[first:] + report.result[:first]
    return report


_PLACES: dict[pytest.Item | pytest.Collector, int] = {}
"""Where a file or folder stands among those of its folder."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for a random order."""
    parser.addoption("--shuffle", metavar="SEED", help="run files, and the tests of each, in a random order")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests alike in all workers: as without workers, or in the random order that `--shuffle` asks for."""
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
        drawn = lambda text: hashlib.sha256(f"{seed} {text}".encode()).digest()  # noqa: E731
        items.sort(key=lambda item: (drawn(item.path.relative_to(config.rootpath).as_posix()), drawn(item.nodeid)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no later look for garbage goes through it, and one comes as rarely as in a command."""
    attribution._PROCESS.ran = {}  # code of plugins that ran to find the checks of them: no test's plan is made after it
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


@pytest.fixture
def thawed() -> Iterator[None]:
    """A process of which nothing is kept from the search for garbage, as a program's is."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.fixture(autouse=True)
def _sealed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what is installed out of unit and property tests."""

    def refuse() -> Iterator[Distribution]:
        raise AssertionError("this test is sealed: give it a registry by Registry.of(…), or use the fixture `site`")

    if SEALED.intersection(request.path.relative_to(HERE).parts):
        monkeypatch.setattr(manifest, "distributions", refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """What code of plugins ran in one test, or for what it shares with others, is none of the next one's business: a command is a process of its own."""
    before = dict(attribution._PROCESS.ran)
    try:
        return (yield)
    finally:
        attribution._PROCESS.ran = before


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _sealed: None) -> Iterator[Site]:
    """An empty folder of installed distributions, the only one that discovery sees."""
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
