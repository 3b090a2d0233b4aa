"""Editions of lists that come with the plugin: transcribed from public documents of the United States, each as a `table`."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from importlib.resources import as_file, files

from friendshore.domain.base import Record
from friendshore.errors import InputError

from .entries import KEPT, ScreeningList
from .table import read_table


class InstalledEdition(Record):
    """One edition of one list, as `editions.toml` tells of it."""

    list: str
    edition: date
    entries: int
    """How many parties the document names."""
    source: str
    """Document, with its date, and where its text was read."""
    note: str = ""
    """What the edition does not say, and what is doubtful in it."""


@lru_cache(maxsize=1)
def installed_editions() -> tuple[InstalledEdition, ...]:
    """All of them, by list and day."""
    data = tomllib.loads(files(__package__).joinpath("editions", "editions.toml").read_text(encoding="utf-8"))
    found = [InstalledEdition.model_validate(one) for one in data["edition"]]
    return tuple(sorted(found, key=lambda one: (one.list, one.edition)))


@lru_cache(maxsize=KEPT)
def read_installed(listed: str, edition: date) -> ScreeningList:
    """An edition that comes with the plugin. Whether a later one was published, only its publisher knows: its age is told as that of a file is.

    Raises:
        InputError: if there is no such edition, with those that there are.
    """
    known = installed_editions()
    for one in known:
        if (one.list, one.edition) == (listed, edition):
            later = [str(other.edition) for other in known if other.list == listed and other.edition > edition]
            newer = f"a later edition comes with the plugin: {later[-1]}" if later else ""
            note = "; ".join(filter(None, (newer, one.note)))
            with as_file(files(__package__).joinpath("editions", f"{listed}-{edition}.csv")) as path:
                return ScreeningList(f"{listed} {edition}", "installed", edition, read_table(path, listed), note)
    expected = ", ".join(f"{one.list} {one.edition}" for one in known)
    fix = "name one of them; or fetch the list, and name its `file` and `format`"
    raise InputError(
        "no such edition of a list comes with the plugin", found=f"{listed} {edition}", expected=expected, fix=fix
    )
