"""Ids that catalogs renamed since a run was made: its facts are compared under the names of today, and the names are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..domain.facts import Catalog, Facility, Material, Offer
from ..domain.market import BenchmarkPrice
from ..domain.naming import Alias, Aliases
from .facts import FactsFile

Entries = Mapping[str, Mapping[str, object]]
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
    records: dict[str, tuple[Offer | Facility | Material | BenchmarkPrice, ...]] = {
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
        " ".join(_word(word, names) for word in key.split(" ")): _table(data, names) for key, data in entries.items()
    }


def _word(word: str, names: Mapping[str, str]) -> str:
    head, slash, rest = word.partition("/")
    return names.get(word, f"{names.get(head, head)}{slash}{rest}")


def _table(table: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    return {names.get(key, key): _value(inner, names) for key, inner in table.items()}


def _value(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _word(value, names)
    if isinstance(value, Mapping):
        return _table(value, names)
    return [_value(inner, names) for inner in value] if isinstance(value, list) else value
