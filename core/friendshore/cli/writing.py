"""Files that commands write for somebody to go on with: from templates, and over nothing that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from ..errors import Diagnostic, InputError
from ..writing import add_files

_TEMPLATES = "templates"


def templates(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    """The files below the folder `name` of the templates: path within it, and text."""
    yield from _texts(files(__package__) / _TEMPLATES / name, PurePosixPath())


def _texts(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda e: (e.is_dir(), e.name)):
        if entry.is_dir():
            yield from _texts(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


def write_new(folder: Path, contents: Mapping[PurePosixPath, str | bytes]) -> list[Path]:
    """Writes files below a folder, all or none, and returns their paths.

    Args:
        folder: made if it is not there.
        contents: text or bytes by path below the folder.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    given = {path: content.encode() if isinstance(content, str) else content for path, content in contents.items()}
    try:
        add_files(folder, given)
    except OSError as error:
        raise InputError(Diagnostic(f"cannot be written: {error.strerror or error}", str(folder))) from error
    return [folder / path for path in contents]
