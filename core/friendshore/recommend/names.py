"""Names and currencies in a case that nothing answers to, told although the case, a catalog or a pack has mistakes that keep it from being put together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..case.mentions import Mention, mentions
from ..catalog import ids_in
from ..catalog.known import Known
from ..catalog.places import amounts_in
from ..domain.base import UnreadableError
from ..domain.case import Case
from ..domain.countries import is_country
from ..domain.values import place
from ..errors import Diagnostic, FriendshoreError
from ..plugins import Blocker, CatalogRef, Registry, is_folder
from ..problem.given import unknown_name
from ..problem.rates import no_rate
from ..rules.pack import rules_in
from .gather import attempt, named_catalogs

_SORTS = {
    ("demand", "material"): "material",
    ("stock", "material"): "material",
    ("store", "material"): "material",
    ("scenario.change", "stock"): "material",
    ("order", "offer"): "offer",
    ("incumbent", "offer"): "offer",
    ("assume.offer", "id"): "offer",
    ("scenario.change", "prove"): "offer",
    ("scenario.change", "capacity"): "facility",
    ("licence", "rule"): "rule",
    ("waiver", "rule"): "rule",
    ("scenario.change", "disable"): "rule",
    ("scenario.change", "move"): "rule",
    ("scenario.change", "loosen"): "rule",
    ("scenario.change", "waive"): "rule",
    ("scenario.change", "grant"): "rule",
    ("case", "place"): "place",
    ("demand", "place"): "place",
    ("stock", "place"): "place",
    ("order", "place"): "place",
    ("store", "place"): "place",
}
"""Section and key of a case -> the sort of thing that must answer to what stands there."""


def unanswered(file: Path, case: Case, registry: Registry) -> list[Diagnostic]:
    """Names and currencies that nothing answers to, each with its file and line.

    A row or table with a mistake may define a name all the same: as long as it may, the name is not told.

    Args:
        file: the case file.
        case: what it uses, if no more than that can be read.
        registry: what is installed.
    """
    unheard: list[FriendshoreError] = []
    known = registry.blocking(case.blocked, Blocker.CASE)
    refs = named_catalogs(case, known, (), unheard)
    ids = ids_in(refs, known.catalog_folder)
    words = mentions(file)
    rules = _rules(words, case, known)
    there: dict[str, Collection[str]] = {
        "material": ids.materials, "offer": ids.offers, "facility": ids.facilities, "place": ids.places,
        "rule": rules or (),
    }  # fmt: skip
    for of, old in ids.aliases:  # what is followed is answered
        there[of] = {*there.get(of, ()), old}
    unsure = set(ids.unsure)
    if len(refs) < len(case.catalogs):
        unsure |= {"material", "offer", "facility", "place", "rate"}
    if rules is None:
        unsure.add("rule")
    found = list(_unknown(words, there, unsure))
    if "rate" not in unsure:
        found += _without_rate(words, refs, ids)
    return found


def _rules(words: list[Mention], case: Case, registry: Registry) -> set[str] | None:
    """Names of all rules, bad ones too; None: there may be more."""
    found = {word.word for word in words if (word.section, word.column) == ("rule", "id")}
    kinds = [word.word for word in words if (word.section, word.column) == ("rule", "kind")]
    found |= {f"{kind}-{number}" for kind in kinds for number in range(1, len(kinds) + 1)}  # those without an id
    for name in case.packs:
        pack = attempt(partial(registry.pack, name, case.folder), [])
        rules = pack.rules if pack is not None else ()
        if pack is None and is_folder(name):
            _, rules, _ = rules_in((case.folder or Path()) / name)
        if not rules:
            return None
        found |= {str(rule.get("id")) for rule in rules}
    return found


def _without_rate(words: list[Mention], refs: Sequence[CatalogRef], ids: Known) -> Iterator[Diagnostic]:
    """Amounts in catalogs beside the case that no rate turns into its currency."""
    stated = [word.word for word in words if (word.section, word.column) == ("case", "currency")]
    to = stated[0] if stated else "USD"
    for ref in refs:
        for table, row, column, currency in amounts_in(ref.folder) if not ref.distribution else ():
            if currency != to and frozenset((currency, to)) not in ids.rates:
                subject = table.text(row, "id") or table.text(row, "offer")
                told = no_rate(currency, to, f"{column} of `{subject}`", table.file, column, subject)
                yield replace(told, row=row.line)


def _unknown(words: list[Mention], there: dict[str, Collection[str]], unsure: Collection[str]) -> Iterator[Diagnostic]:
    for word in words:
        sort = _SORTS.get((word.section, word.column), "")
        if not sort or sort in unsure or word.word in there[sort] or (sort == "place" and _is_land(word.word)):
            continue
        told = unknown_name(sort, word.word, f"{word.section}.{word.column}", there[sort])
        if sort == "place":
            told = replace(told, expected="a country by its ISO 3166 code or English name, or the site of a facility")
        yield replace(told, file=word.file, row=word.row)


def _is_land(word: str) -> bool:
    """Whether a word is a country, or one that cannot be read as a place, which has been told."""
    try:
        return is_country(place(word))
    except UnreadableError:
        return True
