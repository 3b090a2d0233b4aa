"""Ids that catalogs renamed since a run was made: its facts are compared under the names of today, and the names are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..domain.facts import Catalog
from ..domain.naming import Alias, Aliases
from .facts import FactsFile

Entries = Mapping[str, Mapping[str, Any]]
NOUN = "alias"
"""What an alias is called among the entries of a catalog."""


def renamed_since(file: FactsFile, here: Iterable[Catalog]) -> list[Alias]:
    """Aliases of catalogs as they are today that bear on names of a run.

    Args:
        file: the facts of the run.
        here: catalogs as they are today.
    """
    return [alias for catalog in here for was in file.catalogs for alias in _since(was, catalog)]


def _since(was: Catalog, now: Catalog) -> Iterator[Alias]:
    if was.name != now.name:
        return
    records: dict[str, tuple[Any, ...]] = {
        "offer": was.offers,
        "facility": was.facilities,
        "material": was.materials,
        "benchmark": was.prices,
    }
    ids = {(of, record.id) for of, listed in records.items() for record in listed}
    for alias in now.aliases:
        if alias not in was.aliases and (alias.of, alias.old) in ids:
            yield alias


def today(told: Entries, right: Entries, since: Iterable[Alias]) -> tuple[Entries, Entries]:
    """What the facts hold and what they should hold, under the same names.

    Args:
        told: what the facts hold.
        right: what they are compared with.
        since: what was renamed since; its aliases are in the second alone, and no difference of the facts.
    """
    aliases = Aliases(since)
    if not aliases:
        return told, right
    names = {old: way[-1].new for of, old in aliases.by_name if (way := aliases.way(of, old))[-1].new}
    known = {f"{NOUN} {alias.of} {alias.old}" for alias in aliases.by_name.values()}
    kept = {key: data for key, data in right.items() if key not in known or key in told}
    return _called(told, names), _called(kept, names)


def _called(entries: Entries, names: Mapping[str, str]) -> Entries:
    return {
        " ".join(_value(word, names) for word in key.split(" ")): _value(data, names) for key, data in entries.items()
    }


def _value(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        head, slash, rest = value.partition("/")
        return names.get(value, f"{names.get(head, head)}{slash}{rest}")
    if isinstance(value, Mapping):
        return {names.get(key, key): _value(inner, names) for key, inner in value.items()}
    return [_value(inner, names) for inner in value] if isinstance(value, list) else value
