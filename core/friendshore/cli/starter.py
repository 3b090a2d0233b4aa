"""The case and catalog that `init` writes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ..errors import InputError, Problem

_TEMPLATES = "templates"


def write_starter(folder: Path) -> list[Path]:
    """Writes the files and returns their paths.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    texts = dict(_texts(files(__package__) / _TEMPLATES, folder))
    there = [path for path in texts if path.exists()]
    if there:
        fix = "name another folder, or move the file away"
        raise InputError([Problem("is there already, and is left as it is", str(path), fix=fix) for path in there])
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", str(folder))) from error
    return list(texts)


def _texts(template: Traversable, target: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(template.iterdir(), key=lambda e: (e.is_dir(), e.name)):
        if entry.is_dir():
            yield from _texts(entry, target / entry.name)
        else:
            yield target / entry.name, entry.read_text(encoding="utf-8")
