"""A list by its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from friendshore.errors import InputError

from .entries import KEPT, ListEntry, ScreeningList, a_format
from .eu import read_eu_csv, read_eu_xml
from .table import read_table
from .text import LARGEST
from .us import BESIDE, read_csl_csv, read_csl_json, read_ofac

FORMATS: Mapping[str, Callable[[Path, str], tuple[ListEntry, ...]]] = {
    "csl-csv": lambda path, _: read_csl_csv(path),
    "csl-json": lambda path, _: read_csl_json(path),
    "ofac-sdn": lambda path, listed: read_ofac(path, listed or "us-sdn"),
    "ofac-consolidated": read_ofac,
    "eu-csv": lambda path, _: read_eu_csv(path),
    "eu-xml": lambda path, _: read_eu_xml(path),
    "table": read_table,
}
"""Format -> what reads it, given the file and which list it is of."""


def read_list(path: Path, called: str, form: str, edition: date, listed: str = "") -> ScreeningList:
    """The list that a file holds.

    Args:
        path: the file; of OFAC's, the one with the entries.
        called: how the case names it.
        form: one of `FORMATS`.
        edition: the day of the publisher's edition.
        listed: which list it is of, where the format holds one that it does not name.

    Raises:
        InputError: with all that is wrong with it.
    """
    if form not in FORMATS:
        raise a_format(form, FORMATS)
    return _read(path, called, form, edition, listed, _content(path, form))


def _content(path: Path, form: str) -> tuple[tuple[str, bytes], ...]:
    """What stands in a file, and in those beside it of which its format may consist, as hashes; of what cannot be read nothing: the reader says why."""
    beside = path.parent.iterdir() if form.startswith("ofac") and path.parent.is_dir() else ()
    found = []
    for one in sorted({path, *(one for one in beside if one.name.casefold().endswith(BESIDE))}):
        with suppress(OSError):
            if one.stat().st_size <= LARGEST:
                found.append((one.name, sha256(one.read_bytes()).digest()))
    return tuple(found)


@lru_cache(maxsize=KEPT)
def _read(
    path: Path, called: str, form: str, edition: date, listed: str, content: tuple[tuple[str, bytes], ...]
) -> ScreeningList:
    """The list; of one `content` it is read once."""
    del content
    entries = FORMATS[form](path, listed)
    if not entries:
        fix = "fetch the file once more: it may have been cut off"
        raise InputError("names nobody", str(path), expected="a list with one entry or more", fix=fix)
    return ScreeningList(called, form, edition, entries)
