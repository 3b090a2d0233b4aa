"""Locations of data: folders of plugin packages, found without an import, and the user's own folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ..domain.facts import DeclaredColumn
from ..errors import Diagnostic, InputError, PluginError
from ..readers import reader_in
from ..reading.textfile import read_bytes, read_text
from ..reading.tomlfile import toml_data, toml_value
from .interface import newest

MANIFEST = "friendshore.toml"
"""Name of the manifest in a plugin's package."""


def folders_of(package: str) -> list[Path]:
    """Return the folders of a top-level package without importing it. A namespace package may have several.

    Raises:
        PluginError: If it isn't installed, is a single module, or is in an archive.
    """
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError) as error:
        raise PluginError(f"its package `{package}` cannot be found: {error}", fix="reinstall it") from error
    if spec is None:
        raise PluginError(f"its package `{package}` is not there", fix="reinstall it, or uninstall it")
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    if not folders:
        fix = f"make it a folder that holds `__init__.py` and {MANIFEST}"
        raise PluginError(f"its package `{package}` is a single module", str(spec.origin or ""), fix=fix)
    if not any(map(Path.is_dir, folders)):
        fix = "install it with pip, which unpacks it"
        raise PluginError(f"its package `{package}` lies in an archive", str(folders[0]), fix=fix)
    return folders


def home_of(package: str) -> Path:
    """Return the folder of a top-level package that contains its manifest, or the first."""
    folders = folders_of(package)
    return next((folder for folder in folders if (folder / MANIFEST).is_file()), folders[0])


def data_of(path: Path) -> dict[str, Any]:
    """Return the contents of a manifest.

    Raises:
        PluginError: If it is missing or can't be read.
    """
    file = str(path)
    try:
        return toml_data(read_bytes(path).decode("utf-8-sig"), file)
    except FileNotFoundError as error:
        fix = "add the file to the package, and to the wheel"
        raise PluginError(
            "there is no manifest", file, expected=f"`api = {newest().version}` and what it brings", fix=fix
        ) from error
    except InputError as error:
        raise PluginError(error.problems) from error
    except UnicodeDecodeError as error:
        found: list[Diagnostic] = []
        read_text(path, found)
        raise PluginError(found) from error
    except OSError as error:
        raise PluginError(f"cannot be read: {error}", file) from error


def contents_of(
    manifest: Path, paths: Iterable[str], needed: str, key: str, problems: list[Diagnostic]
) -> list[tuple[str, Path]]:
    """Return name and folder of each catalog or pack next to a manifest, as stated in its own file."""
    found = []
    for path in paths:
        file = manifest.parent / path / needed
        if not file.is_file():
            fix = "add it to the package and to the wheel, or take it out of the manifest"
            problems.append(Diagnostic(f"`{path}` holds no {needed}", str(manifest), found=str(file.parent), fix=fix))
            continue
        try:
            name = toml_value(read_bytes(file), str(file), key)
        except InputError as error:
            problems.extend(error.problems)
            continue
        except (OSError, UnicodeDecodeError):
            read_text(file, problems)  # says why
            continue
        if isinstance(name, str) and name:
            found.append((name, file.parent))
        else:
            problems.append(Diagnostic(f"states no `{key}`", str(file), column=key, fix=f'add {key} = "…"'))
    return found


def is_folder(name: str) -> bool:
    """Return True if a name in a case is a folder, not an installed name or a reader's argument like `acme-erp:lists/a.csv`."""
    return name.startswith(".") or (reader_in(name) is None and ("/" in name or "\\" in name))


def folder_of(name: str, base: Path | None, what: Literal["catalog", "rule pack"]) -> Path:
    """Return the folder or workbook that a case names.

    Args:
        name: Path. A relative one starts from `base`.
        base: None means the current folder.
        what: Sort of data, for messages.

    Raises:
        InputError: If there is none.
    """
    from ..reading.workbook import is_workbook

    folder = Path(name) if base is None else base / name
    if what == "catalog" and is_workbook(folder):
        if folder.is_file():
            return folder
        fix = "check the path; it starts from the folder of the file that names it"
        raise InputError("there is no such workbook", str(folder), found=f"`{name}`", fix=fix)
    if folder.is_file():
        old = folder.suffix.lower() in (".xls", ".xlsm", ".xlsb", ".ods")
        message = "is a workbook of another format" if old and what == "catalog" else "is a file"
        expected = f"a folder{' or an .xlsx workbook' if what == 'catalog' else ''} for the {what}"
        fix = (
            f"save it as .xlsx, and name {folder.with_suffix('.xlsx').name}" if old else "name the folder that holds it"
        )
        raise InputError(message, str(folder), found=f"`{name}`", expected=expected, fix=fix)
    if not folder.is_dir():
        fix = "check the path; it starts from the folder of the file that names it"
        raise InputError(f"there is no folder for the {what}", str(folder), found=f"`{name}`", fix=fix)
    return folder


_IN_MAPS = tuple((name, "an entry of a map of a spreadsheet") for name in ("when", "unless", "about"))
"""Keys of a spreadsheet map that aren't columns."""


def taken(columns: Sequence[DeclaredColumn], file: str) -> list[Diagnostic]:
    """Return an error for each declared column that friendshore has itself."""
    if not columns:
        return []
    from ..domain.facts import Facility, Lane, Offer
    from ..reading.fields import fields_of

    own = {
        "offers": {"material", *(f.name for f in fields_of(Offer))},
        "facilities": {f.name for f in fields_of(Facility)},
        "lanes": {"offer", *(f.name for f in fields_of(Lane))},
    }
    places = {table: (*((name, f"{table}.csv") for name in names), *_IN_MAPS) for table, names in own.items()}
    return [
        Diagnostic(
            f"declares a column `{one.name}`, which {place} has", file, None, f"facts.{one.table}", fix="rename it"
        )
        for one in columns
        for name, place in places[one.table]
        if one.name == name
    ]
