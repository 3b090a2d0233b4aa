"""Checks that a case stays in its folder: what it names must be installed, or in the folder of it or of another given case."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PureWindowsPath

from ..errors import Diagnostic, InputError
from ..plugins import is_folder
from ..readers import reader_in
from .formats import is_toml, read_case_file
from .load import CASE_FILE

_MAX_FILES = 20_000


def root_of(case: Path) -> Path:
    """Return the folder that a case must stay in."""
    return (case if case.is_dir() else case.parent).resolve()


def file_of(case: Path) -> Path:
    return case / CASE_FILE if case.is_dir() else case


def fingerprint(case: Path, roots: Collection[Path]) -> str:
    """Return a hash of names, sizes, and times of a case's files. Raise `InputError` if a link leads out of all roots, or there are too many files."""
    problems, state = list[Diagnostic](), hashlib.sha256(str(case).encode())
    for number, path in enumerate(_files(root_of(case))):
        if number == _MAX_FILES:
            message, fix = f"a case with more than {_MAX_FILES:,} files", "move it to its own folder"
            raise InputError(message, str(case), fix=fix, code="FS928")
        if path.is_symlink() and not _is_within(path, roots):
            fix = "copy its target into the folder"
            problems.append(Diagnostic("a link leads out of the folder of the case", str(path), fix=fix, code="FS928"))
        else:
            facts = path.lstat()
            state.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    if problems:
        raise InputError(problems)
    return state.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        paths = (Path(folder) / name for name in sorted((*folders, *names)))
        yield from (path for path in paths if path.is_symlink() or path.is_file())


def check_confined(case: Path, roots: Collection[Path]) -> frozenset[Path]:
    """Return the other roots that the TOML files of a case, or its workbook, name. Raise `InputError` with all paths that leave the roots."""
    tables = {path: _toml(path) for path in _files(root_of(case)) if path.suffix == ".toml"}
    file = file_of(case)
    if file.is_file():
        read = None if is_toml(file) else read_case_file(file, [])
        tables[file] = _toml(file) if read is None else read.data
    problems, named = [], set[Path]()
    for path, table in tables.items():
        for key, text in _texts(table):
            # Elsewhere than in `use`, a text with a colon is an address of the web.
            reader = reader_in(text) if key.startswith("use.") else None
            for part in filter(_is_far, (text, reader[1]) if reader is not None else (text,)):
                found = [root for root in roots if _is_within(path.parent / part.replace("\\", "/"), [root])]
                named.update(found)
                if not found:
                    message, fix = "names a place elsewhere", "copy it into the folder of the case"
                    problems.append(Diagnostic(message, str(path), None, key, text[:200], fix=fix, code="FS928"))
    if problems:
        raise InputError(problems)
    return frozenset(named) - {root_of(case)}


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}  # unreadable for friendshore too, which reports it


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield all texts within a table, each with its dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping | list):
        named = value.items() if isinstance(value, Mapping) else ((None, inner) for inner in value)
        for name, inner in named:
            yield from _texts(inner, key if name is None else f"{key}.{name}".lstrip("."))


def _is_far(text: str) -> bool:
    path = PureWindowsPath(text)  # reads both kinds of separators
    return bool(path.root) or ".." in path.parts


def _is_within(path: Path, roots: Collection[Path]) -> bool:
    try:
        place = path.resolve()
    except (OSError, ValueError):
        return False
    return any(place.is_relative_to(root) for root in roots)


def check_posted(case: Mapping[str, object]) -> None:
    """Raise `InputError` with all names of files in a case that was posted."""
    problems, fix = list[Diagnostic](), "write the table into the case, or start the server with the case"
    for key, text in _texts(case):
        is_file = key.startswith("use.") and (key == "use.demand" or is_folder(text) or reader_in(text) is not None)
        if is_file or _is_far(text):
            message, expected = "a posted case can't name a file", "names of what is installed"
            problems.append(Diagnostic(message, "case", None, key, text[:200], expected, fix, "FS928"))
    if problems:
        raise InputError(problems)
