"""`friendshore init`, and how commands write files for somebody to go on with: from templates, and over nothing that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from ..errors import Diagnostic, InputError
from ..reading.today import today
from ..writing import add_files
from .options import AsJson
from .output import answering, bare, wrote

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


def write_starter(folder: Path) -> list[Path]:
    """Writes the files and returns their paths.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    day = f"as_of = {today()}"  # what was invented is of the day on which it is written
    return write_new(folder, {name: text.replace("as_of = 2026-10-01", day) for name, text in templates("case")})


@answering
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there.")
    ] = Path(),
    as_json: AsJson = False,
) -> int:
    """Write a small commented case, with a catalog beside it, that `plan` solves. Overwrites nothing."""
    written = write_starter(folder)
    wrote(as_json, written)
    if not as_json:
        bare(f"now: friendshore plan {folder / 'case.toml'}")
    return 0
