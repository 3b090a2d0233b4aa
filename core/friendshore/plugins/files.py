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
from .manifest import GROUP, Declared, Plugin, PluginInfo, declared, normalized_name, plugin_of
from .packages import MANIFEST, folders_of
from .registry import Registry

# Digits of a file's hash in a list that also has a digest of all files.
SHORT_HASH_LENGTH = 16
# Python writes this folder from the source next to it.
_CACHE = "__pycache__"
_METADATA_SUFFIXES = (".dist-info", ".egg-info")


def kind_digest(registry: Registry, kind: str) -> str:
    owner = registry.owner(kind).partition(" ")[0]
    return digest_of(plugin_files(registry, owner)) if owner != OWN else ""


def plugin_files(registry: Registry, distribution: str) -> dict[str, str]:
    hash_by_file: dict[str, str] = {}
    for info in registry.plugins:
        if info.package and normalized_name(info.distribution) == normalized_name(distribution):
            hash_by_file |= package_files(info)
    return dict(sorted(hash_by_file.items()))


def package_files(info: PluginInfo) -> dict[str, str]:
    """Return the SHA-256 of every file that a plugin's distribution installed, or of its package if it is editable, by path, without `__pycache__`."""
    hash_by_file: dict[str, str] = {}
    for folder in _package_folders(info):
        for path in _files_below(folder, frozenset()):
            hash_by_file[path.relative_to(folder.parent).as_posix()] = _file_hash(path)
    for name, path in _other_files(info):
        if name not in hash_by_file and path.exists():
            hash_by_file[name] = _file_hash(path)
    return dict(sorted(hash_by_file.items()))


def digest_of(files: Mapping[str, str]) -> str:
    """Return one digest over names and hashes of files. Empty if there are none."""
    text = json.dumps(sorted(files.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Describe new, missing, and changed files between two sets of hashes. A hash may be abbreviated."""
    lines = []
    for name in sorted({*before, *now}):
        if name not in before:
            lines.append(f"{name} is new")
        elif name not in now:
            lines.append(f"{name} is missing")
        elif not (before[name].startswith(now[name]) or now[name].startswith(before[name])):
            lines.append(f"{name} changed")
    return lines


def _package_folders(info: PluginInfo) -> list[Path]:
    home = [Path(info.file).parent] if info.file else []
    try:
        others = folders_of(info.package)
    except FriendshoreError:  # the plugin's folder isn't installed
        others = []
    # Ignore a package of the same name that is installed elsewhere, since this plugin doesn't run it.
    return list(dict.fromkeys([*home, *others])) if not home or home[0] in others else home


def _files_below(folder: Path, parents: frozenset[str]) -> Iterator[Path]:
    """Yield all files below a folder. A link back to a parent isn't followed again."""
    real_path = os.path.realpath(folder)
    if real_path in parents:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # a file that can't be read can't be run either
        return
    for path in entries:
        if path.is_dir():
            if path.name != _CACHE:
                yield from _files_below(path, parents | {real_path})
        else:
            yield path


def _other_files(info: PluginInfo) -> Iterator[tuple[str, Path]]:
    try:
        dist = distribution(info.distribution)
    except (PackageNotFoundError, ValueError):
        return
    home = Path(str(dist.locate_file(info.package)))
    if not info.file or os.path.realpath(home) != os.path.realpath(Path(info.file).parent) or _is_editable(dist):
        return
    for file in dist.files or ():
        first = file.parts[0]
        if first not in ("..", "/") and not first.endswith(_METADATA_SUFFIXES) and _CACHE not in file.parts:
            yield file.as_posix(), Path(str(dist.locate_file(file)))


def _is_editable(dist: Distribution) -> bool:
    try:
        origin = json.loads(dist.read_text("direct_url.json") or "{}")
    except (ValueError, RecursionError):  # a file that pip did not write
        return False
    return isinstance(origin, dict) and bool(dict(origin.get("dir_info") or {}).get("editable"))


def _file_hash(path: Path) -> str:
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
    return (folder / MANIFEST).is_file() or (folder / PROJECT).is_file()


def source_plugins(folder: Path) -> tuple[Plugin, ...]:
    """Return the plugins that a folder's `pyproject.toml` declares, or the one whose package the folder is. Imports nothing: see `importable`."""
    folder = folder.resolve()
    if (folder / MANIFEST).is_file():
        entry = EntryPoint(folder.name, folder.name, GROUP)
        return (plugin_of(Declared(folder.name, "", entry), folder),)
    file = folder / PROJECT
    project = _project_table(file)
    entries = project.get("entry-points", {}).get(GROUP, {})
    if not isinstance(entries, dict) or not entries:
        fix = f'add [project.entry-points.{GROUP}] with `<name> = "<package>"`'
        raise InputError("declares no plugin", str(file), column=f"project.entry-points.{GROUP}", fix=fix, code="FS406")
    name, version = str(project.get("name", folder.name)), str(project.get("version", ""))
    requires = tuple(map(str, project.get("dependencies", ())))
    declarations = [
        Declared(name, version, EntryPoint(key, str(value), GROUP), requires=requires)
        for key, value in sorted(entries.items())
    ]
    return tuple(plugin_of(declaration, _package_folder(folder, declaration.package)) for declaration in declarations)


@contextmanager
def importable(plugins: Iterable[Plugin]) -> Iterator[None]:
    before = [*sys.path]
    sys.path[:0] = dict.fromkeys(str(Path(plugin.info.file).parents[1]) for plugin in plugins if plugin.info.file)
    try:
        yield
    finally:
        sys.path[:] = before


def is_wheel(file: Path) -> bool:
    return file.suffix == WHEEL and file.is_file()


def wheel_plugins(file: Path) -> tuple[Plugin, ...]:
    """Return the plugins in a wheel. It is unpacked into a folder that is deleted when the process ends. Imports nothing."""
    home = Path(mkdtemp(prefix="friendshore-"), file.name)
    atexit.register(rmtree, home.parent, ignore_errors=True)
    try:
        with ZipFile(file) as wheel:
            wheel.extractall(home)
    except (BadZipFile, OSError) as error:
        raise InputError(
            f"is not a wheel: {error}", str(file), fix="build it again, for example with `uv build`", code="FS406"
        ) from error
    declarations = list(declared(distributions(path=[str(home)])))
    if not declarations:
        fix = f'add [project.entry-points.{GROUP}] with `<name> = "<package>"` to {PROJECT}, and build it again'
        raise InputError("declares no plugin", str(file), fix=fix, code="FS406")
    return tuple(plugin_of(declaration, home / declaration.package) for declaration in declarations)


def _project_table(file: Path) -> dict[str, Any]:
    try:
        project = toml_data(read_bytes(file).decode("utf-8"), str(file)).get("project", {})
    except FileNotFoundError as error:
        expected = f"a folder with {PROJECT}, or the package with {MANIFEST}"
        raise InputError("isn't the folder of a plugin", str(file.parent), expected=expected, code="FS406") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read: {error}", str(file), fix="check the file and its permissions", code="FS412"
        ) from error
    return project if isinstance(project, dict) else {}


def _package_folder(folder: Path, package: str) -> Path:
    candidates = [folder / "src" / package, folder / package]
    package_folder = next((path for path in candidates if path.is_dir()), None)
    if package_folder is None:
        expected = " or ".join(map(str, candidates))
        message = f"its entry point names the package `{package}`, which doesn't exist"
        raise InputError(message, str(folder / PROJECT), found=package, expected=expected, code="FS411")
    return package_folder
