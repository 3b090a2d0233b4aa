"""Hashes of plugin files, and plugins in a folder or a wheel that aren't installed."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, distributions
from pathlib import Path
from shutil import rmtree
from stat import S_ISREG
from tempfile import mkdtemp
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..errors import FriendshoreError, InputError
from ..reading.textfile import read_bytes
from ..reading.tomlfile import toml_data
from .interface import OWN
from .manifest import GROUP, Declared, Plugin, PluginInfo, declared, normal, plugin_of
from .packages import MANIFEST, folders_of
from .registry import Registry

SHORT = 16
"""Digits of a file's hash in a list that also has a digest of all files."""
_CACHE = "__pycache__"
"""Python writes this folder from the source next to it."""
_ABOUT = (".dist-info", ".egg-info")
"""Folders of metadata, which differ between installers."""


def kind_digest(registry: Registry, kind: str) -> str:
    """Return the digest of all files of the plugin that brings a kind of rule. Empty for friendshore's own kinds and those in memory.

    Raises:
        PluginError: If no plugin or several bring it, or if the plugin is broken or blocked.
    """
    owner = registry.owner(kind).partition(" ")[0]
    return digest_of(plugin_files(registry, owner)) if owner != OWN else ""


def plugin_files(registry: Registry, distribution: str) -> dict[str, str]:
    """Return the SHA-256 of each file of all plugins of a distribution. Empty for plugins in memory."""
    found: dict[str, str] = {}
    for info in registry.plugins:
        if info.package and normal(info.distribution) == normal(distribution):
            found |= package_files(info)
    return dict(sorted(found.items()))


def package_files(info: PluginInfo) -> dict[str, str]:
    """Return the SHA-256 of each file of a plugin, by its path from the parent folder of its package.

    This includes other packages and modules that its distribution installed, except for an editable installation, which doesn't list them.
    `__pycache__` is left out.
    """
    found: dict[str, str] = {}
    for folder in _folders(info):
        for path in _within(folder, frozenset()):
            found[path.relative_to(folder.parent).as_posix()] = _hash(path)
    for name, path in _beside(info):
        if name not in found and path.exists():
            found[name] = _hash(path)
    return dict(sorted(found.items()))


def digest_of(files: Mapping[str, str]) -> str:
    """Return one digest over names and hashes of files. Empty if there are none."""
    text = json.dumps(sorted(files.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Describe new, missing, and changed files between two sets of hashes. A hash may be abbreviated."""
    found = []
    for name in sorted({*before, *now}):
        if name not in before:
            found.append(f"{name} is new")
        elif name not in now:
            found.append(f"{name} is gone")
        elif not (before[name].startswith(now[name]) or now[name].startswith(before[name])):
            found.append(f"{name} changed")
    return found


def _folders(info: PluginInfo) -> list[Path]:
    """Return the folder of its manifest, and the other folders of a namespace package."""
    home = [Path(info.file).parent] if info.file else []
    try:
        others = folders_of(info.package)
    except FriendshoreError:  # a plugin's folder that is not installed
        others = []
    # One of the same name that is installed elsewhere is not what this one runs.
    return list(dict.fromkeys([*home, *others])) if not home or home[0] in others else home


def _within(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """Yield all files below a folder. A link back to a parent isn't followed again."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # what cannot be read cannot be run either
        return
    for path in entries:
        if path.is_dir():
            if path.name != _CACHE:
                yield from _within(path, above | {here})
        else:
            yield path


def _beside(info: PluginInfo) -> Iterator[tuple[str, Path]]:
    """Yield other files that the plugin's distribution installed, without metadata and scripts."""
    try:
        found = distribution(info.distribution)
    except (PackageNotFoundError, ValueError):
        return
    home = Path(str(found.locate_file(info.package)))
    if not info.file or os.path.realpath(home) != os.path.realpath(Path(info.file).parent) or _editable(found):
        return
    for file in found.files or ():
        first = file.parts[0]
        if first not in ("..", "/") and not first.endswith(_ABOUT) and _CACHE not in file.parts:
            yield file.as_posix(), Path(str(found.locate_file(file)))


def _editable(found: Distribution) -> bool:
    """Return True if a distribution is installed in editable mode."""
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
    except (ValueError, RecursionError):  # a file that pip did not write
        return False
    return isinstance(told, dict) and bool(dict(told.get("dir_info") or {}).get("editable"))


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file, or a word that no hash equals if it can't be read."""
    try:
        if not S_ISREG(path.stat().st_mode):
            return "no regular file"
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"


PROJECT = "pyproject.toml"
WHEEL = ".whl"


def is_source(folder: Path) -> bool:
    """Return True if a folder contains a plugin's source or package."""
    return (folder / MANIFEST).is_file() or (folder / PROJECT).is_file()


def source_plugins(folder: Path) -> tuple[Plugin, ...]:
    """Return the plugins that a folder's `pyproject.toml` declares, or the one whose package the folder is. Imports nothing: see `importable`.

    Raises:
        InputError: If the folder contains no plugin, or its `pyproject.toml` can't be read.
    """
    folder = folder.resolve()
    if (folder / MANIFEST).is_file():
        entry = EntryPoint(folder.name, folder.name, GROUP)
        return (plugin_of(Declared(folder.name, "", entry), folder),)
    file = folder / PROJECT
    project = _project(file)
    entries = project.get("entry-points", {}).get(GROUP, {})
    if not isinstance(entries, dict) or not entries:
        fix = f'add [project.entry-points.{GROUP}] with `<name> = "<package>"`'
        raise InputError("declares no plugin", str(file), column=f"project.entry-points.{GROUP}", fix=fix)
    name, version = str(project.get("name", folder.name)), str(project.get("version", ""))
    requires = tuple(map(str, project.get("dependencies", ())))
    found = [
        Declared(name, version, EntryPoint(key, str(value), GROUP), requires=requires)
        for key, value in sorted(entries.items())
    ]
    return tuple(plugin_of(one, _package(folder, one.package)) for one in found)


@contextmanager
def importable(plugins: Iterable[Plugin]) -> Iterator[None]:
    """Make plugins importable inside the block, before installed packages of the same name."""
    before = [*sys.path]
    sys.path[:0] = dict.fromkeys(str(Path(plugin.info.file).parents[1]) for plugin in plugins if plugin.info.file)
    try:
        yield
    finally:
        sys.path[:] = before


def is_wheel(file: Path) -> bool:
    """Return True if a file is a wheel, by its name."""
    return file.suffix == WHEEL and file.is_file()


def wheel_plugins(file: Path) -> tuple[Plugin, ...]:
    """Return the plugins in a wheel. It is unpacked into a folder that is deleted when the process ends. Imports nothing.

    Raises:
        InputError: If it can't be unpacked, or contains no plugin.
    """
    home = Path(mkdtemp(prefix="friendshore-"), file.name)
    atexit.register(rmtree, home.parent, ignore_errors=True)
    try:
        with ZipFile(file) as wheel:
            wheel.extractall(home)
    except (BadZipFile, OSError) as error:
        raise InputError(f"is no wheel: {error}", str(file)) from error
    found = list(declared(distributions(path=[str(home)])))
    if not found:
        fix = f'add [project.entry-points.{GROUP}] with `<name> = "<package>"` to {PROJECT}, and build it again'
        raise InputError("declares no plugin", str(file), fix=fix)
    return tuple(plugin_of(one, home / one.package) for one in found)


def _project(file: Path) -> dict[str, Any]:
    try:
        project = toml_data(read_bytes(file).decode("utf-8"), str(file)).get("project", {})
    except FileNotFoundError as error:
        expected = f"a folder that holds {PROJECT}, or the package's {MANIFEST}"
        raise InputError("is no plugin's folder", str(file.parent), expected=expected) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", str(file)) from error
    return project if isinstance(project, dict) else {}


def _package(folder: Path, package: str) -> Path:
    """Return the folder of a package: in `src`, or next to `pyproject.toml`."""
    places = [folder / "src" / package, folder / package]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        expected = " or ".join(map(str, places))
        message = f"its entry point names the package `{package}`, which is not there"
        raise InputError(message, str(folder / PROJECT), found=package, expected=expected)
    return found
