"""What is read of a screening list: its entries, each with its names, and the edition that it is of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date

from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError, all_of

KEPT = 8
"""Lists that are kept for other cases of one process."""
MOST_TOLD = 50
"""Mistakes of one file that are told one by one."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One party on a list."""

    list: str
    """The list, such as `us-sdn`: what the law is looked up by."""
    id: str
    """What the publisher calls the entry; where it has no number, its name and the day on which it began."""
    name: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    """Aliases that the publisher itself calls weak: broad, or of little use to identify anybody."""
    kind: str = ""
    """`entity`, `individual`, `vessel`, `aircraft`; empty: the list does not say."""
    programs: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    remarks: str = ""
    source: str = ""
    """Address of the publisher."""
    line: int = field(default=0, compare=False)
    """Where it stands in the file."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, weak ones last."""
        return tuple(dict.fromkeys((self.name, *self.aliases, *self.weak)))

    def stands(self, day: date) -> bool:
        """Whether it stands on its list on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    @property
    def digest(self) -> str:
        """Hash of all that the entry says: a decision about it is honoured while this is the same."""
        data = asdict(self)
        del data["line"]
        text = json.dumps(data, sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class ScreeningList:
    """A file of one edition of one or several lists. The same content is the same object, as long as it is kept."""

    file: str
    format: str
    edition: date
    entries: tuple[ListEntry, ...]
    note: str = ""
    """What whoever reads the answer has to know of this edition."""

    def __repr__(self) -> str:
        return f"<ScreeningList {self.file}: {len(self.entries)} entries>"


def refused(problems: Sequence[Diagnostic]) -> InputError:
    """All that is wrong with a file, the first of it by line; of very much, how much more there is."""
    told = list(problems[:MOST_TOLD])
    if len(problems) > MOST_TOLD:
        more = len(problems) - MOST_TOLD
        told.append(Diagnostic(f"{more} more mistakes in this file", problems[0].file, fix="fetch the file once more"))
    return all_of(told)


def split_names(text: str) -> tuple[str, ...]:
    """Names that stand in one cell, set apart by `;`."""
    return tuple(name for part in text.split(";") if (name := part.strip()))


def a_day(text: str, file: str, row: int, column: str, found: list[Diagnostic]) -> date | None:
    """A day as `2026-01-31`; blank: none. What is no day is recorded."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        found.append(Diagnostic("is no day", file, row, column, text[:40], "a day such as 2026-01-31"))
        return None


def unique(entries: Iterable[ListEntry], file: str, found: list[Diagnostic]) -> tuple[ListEntry, ...]:
    """The entries, an id that stands there twice on one list recorded."""
    seen: dict[tuple[str, str], ListEntry] = {}
    for entry in entries:
        before = seen.setdefault((entry.list, entry.id), entry)
        if before is not entry and before != entry:
            message = f"entry `{entry.id}` of `{entry.list}` stands on line {before.line} as well, with other content"
            found.append(Diagnostic(message, file, entry.line))
    return tuple(seen.values())


def a_format(name: str, known: Iterable[str]) -> InputError:
    """What to say of a format that there is none of."""
    names = sorted(known)
    fix = did_you_mean(name, names) or "name one of them"
    return InputError("there is no such format of a list", found=f"`{name}`", expected=", ".join(names), fix=fix)
