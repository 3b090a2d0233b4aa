"""A plugin that is not installed: the folder of its source, or of its package, or its wheel."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..errors import InputError
from ..reading.textfile import read_bytes
from ..reading.tomlfile import toml_data
from .manifest import GROUP, Declared, Plugin, declared, plugin_of
from .packages import MANIFEST

PROJECT = "pyproject.toml"
WHEEL = ".whl"


def is_source(folder: Path) -> bool:
    """Whether a folder may be a plugin's: of its source, or of its package."""
    return (folder / MANIFEST).is_file() or (folder / PROJECT).is_file()


def source_plugins(folder: Path) -> tuple[Plugin, ...]:
    """The plugins that a folder's `pyproject.toml` declares; of a package alone, the one whose manifest it holds.

    Nothing is imported; for that their code must be `importable`.

    Raises:
        InputError: if it is no plugin's folder, or its `pyproject.toml` cannot be read.
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
    """While their code can be imported, before anything of the same name that is installed; `sys.path` is then as it was."""
    before = [*sys.path]
    sys.path[:0] = dict.fromkeys(str(Path(plugin.info.file).parents[1]) for plugin in plugins if plugin.info.file)
    try:
        yield
    finally:
        sys.path[:] = before


def is_wheel(file: Path) -> bool:
    """Whether a file is a wheel, by its name."""
    return file.suffix == WHEEL and file.is_file()


def wheel_plugins(file: Path) -> tuple[Plugin, ...]:
    """The plugins in a wheel, with what will be installed of them and nothing else.

    It is unpacked into a folder that is gone when the process ends. Nothing is imported, as for `source_plugins`.

    Raises:
        InputError: if it cannot be unpacked, or holds no plugin.
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
    """The package's folder: in `src`, or beside `pyproject.toml`."""
    places = [folder / "src" / package, folder / package]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        expected = " or ".join(map(str, places))
        message = f"its entry point names the package `{package}`, which is not there"
        raise InputError(message, str(folder / PROJECT), found=package, expected=expected)
    return found
