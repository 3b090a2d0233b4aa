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


def folders_of(package: str) -> list[Path]:
    """Return the folders of a top-level package without importing it. A namespace package may have several."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError) as error:
        raise PluginError(
            f"its package `{package}` cannot be found: {error}", fix="reinstall it", code="FS411"
        ) from error
    if spec is None:
        raise PluginError(f"its package `{package}` is missing", fix="reinstall it, or uninstall it", code="FS411")
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    if not folders:
        fix = f"make it a folder with `__init__.py` and {MANIFEST}"
        raise PluginError(f"its package `{package}` is a single module", str(spec.origin or ""), fix=fix, code="FS411")
    if not any(map(Path.is_dir, folders)):
        fix = "install it with pip, which unpacks it"
        raise PluginError(f"its package `{package}` is in an archive", str(folders[0]), fix=fix, code="FS411")
    return folders


def home_of(package: str) -> Path:
    folders = folders_of(package)
    return next((folder for folder in folders if (folder / MANIFEST).is_file()), folders[0])


def data_of(path: Path) -> dict[str, Any]:
    file = str(path)
    try:
        return toml_data(read_bytes(path).decode("utf-8-sig"), file)
    except FileNotFoundError as error:
        fix = "add the file to the package, and to the wheel"
        raise PluginError(
            "the manifest is missing",
            file,
            expected=f"`api = {newest().version}`, and everything that the plugin brings",
            fix=fix,
            code="FS412",
        ) from error
    except InputError as error:
        raise PluginError(error.problems) from error
    except UnicodeDecodeError as error:
        problems: list[Diagnostic] = []
        read_text(path, problems)
        raise PluginError(problems) from error
    except OSError as error:
        raise PluginError(
            f"cannot be read: {error}", file, fix="check the file and its permissions", code="FS412"
        ) from error


def contents_of(
    manifest: Path, paths: Iterable[str], file_name: str, key: str, problems: list[Diagnostic]
) -> list[tuple[str, Path]]:
    """Return name and folder of each catalog or pack next to a manifest, as stated in its own file. Other errors go to `problems`."""
    contents = []
    for path in paths:
        file = manifest.parent / path / file_name
        if not file.is_file():
            fix = "add it to the package and to the wheel, or remove it from the manifest"
            problems.append(
                Diagnostic(f"`{path}` has no {file_name}", str(manifest), found=str(file.parent), fix=fix, code="FS412")
            )
            continue
        try:
            name = toml_value(read_bytes(file), str(file), key)
        except InputError as error:
            problems.extend(error.problems)
            continue
        except (OSError, UnicodeDecodeError):
            read_text(file, problems)  # reports the cause
            continue
        if isinstance(name, str) and name:
            contents.append((name, file.parent))
        else:
            problems.append(Diagnostic(f"has no `{key}`", str(file), column=key, fix=f'add {key} = "…"', code="FS002"))
    return contents


def is_folder(name: str) -> bool:
    """Return True if a name in a case is a folder, not an installed name or a reader's argument like `acme-erp:lists/a.csv`."""
    return name.startswith(".") or (reader_in(name) is None and ("/" in name or "\\" in name))


def folder_of(name: str, base: Path | None, what: Literal["catalog", "rule pack"]) -> Path:
    from ..reading.workbook import is_workbook

    folder = Path(name) if base is None else base / name
    if what == "catalog" and is_workbook(folder):
        if folder.is_file():
            return folder
        fix = "check the path, which starts from the folder of the file that names it"
        raise InputError("the workbook doesn't exist", str(folder), found=f"`{name}`", fix=fix, code="FS307")
    if folder.is_file():
        is_other_format = folder.suffix.lower() in (".xls", ".xlsm", ".xlsb", ".ods")
        message = "is a workbook of another format" if is_other_format and what == "catalog" else "is a file"
        expected = f"a folder{' or an .xlsx workbook' if what == 'catalog' else ''} for the {what}"
        fix = (
            f"save it as .xlsx, and name {folder.with_suffix('.xlsx').name}"
            if is_other_format
            else "name the folder that contains it"
        )
        raise InputError(message, str(folder), found=f"`{name}`", expected=expected, fix=fix, code="FS307")
    if not folder.is_dir():
        fix = "check the path, which starts from the folder of the file that names it"
        raise InputError(
            f"the folder of the {what} doesn't exist", str(folder), found=f"`{name}`", fix=fix, code="FS307"
        )
    return folder


# Keys of a spreadsheet map that aren't columns.
_IN_MAPS = tuple((name, "a map of a spreadsheet") for name in ("when", "unless", "about"))


def column_conflicts(columns: Sequence[DeclaredColumn], file: str) -> list[Diagnostic]:
    if not columns:
        return []
    from ..domain.facts import Facility, Lane, Offer
    from ..reading.fields import fields_of

    own_names = {
        "offers": {"material", *(f.name for f in fields_of(Offer))},
        "facilities": {f.name for f in fields_of(Facility)},
        "lanes": {"offer", *(f.name for f in fields_of(Lane))},
    }
    owners = {table: (*((name, f"{table}.csv") for name in names), *_IN_MAPS) for table, names in own_names.items()}
    return [
        Diagnostic(
            f"declares a column `{declaration.name}`, which {owner} already has",
            file,
            None,
            f"facts.{declaration.table}",
            fix="rename it",
            code="FS413",
        )
        for declaration in columns
        for name, owner in owners[declaration.table]
        if declaration.name == name
    ]
