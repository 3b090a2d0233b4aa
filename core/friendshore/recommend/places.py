"""Mistakes of a case that are only seen once its facts are put together: where in its files they stand, and names that nothing answers to.

A rule of the case's own that names what is not there would keep out nothing, and say so nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from ..case.mentions import Mention, mentions
from ..catalog.tables import place_of
from ..domain.case import Case
from ..domain.countries import is_country
from ..domain.elements import elements_in, form_words
from ..domain.facts import Catalog
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
from ..readers import CatalogRows
from ..rules.base import Names, Rule


def misnamed(rules: Sequence[Rule], case: Case, catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """What rules of the case's own, and those given in memory, name and nothing answers to.

    Law at large speaks of more than the catalogs of one case hold.
    """
    if not rules:
        return []
    known = _known(case, catalogs)
    return [
        Diagnostic(
            f"rule `{rule.id}` names the {what} `{name}`, which is not there",
            column=f"rule.{field}",
            found=name,
            expected=_expected(what, known[what]),
            fix=did_you_mean(name, known[what]),
        )
        for rule in rules
        for field, what, name in _names(rule)
        if name not in known[what] and not _elsewhere(what, name, known[what])
    ]


def _elsewhere(what: str, name: str, known: Collection[str]) -> bool:
    """Whether a name may mean something outside the catalogs: a country, or an end use of other cases that no slip has made."""
    return is_country(name) if what == "place" else what == "end use" and not did_you_mean(name, known)


def _expected(what: str, known: Iterable[str]) -> str:
    if what == "end use":
        return "defense, civil, or an end use of a demand: one of " + ", ".join(sorted(known))
    return f"a{'n' if what[0] in 'aeiou' else ''} {what} of the case's catalogs" + (
        ", or a country" * (what == "place")
    )


def _known(case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
    materials = [material for catalog in catalogs for material in catalog.materials]
    facilities = [facility for catalog in catalogs for facility in catalog.facilities]
    return {
        "material": frozenset(material.id for material in materials),
        "element": frozenset().union(*(elements_in(material.element) for material in materials)),
        "form": frozenset().union(*(form_words(material.form) for material in materials)),
        "tag": frozenset(tag for material in materials for tag in material.tags),
        "offer": frozenset(offer.id for catalog in catalogs for offer in catalog.offers),
        "facility": frozenset(facility.id for facility in facilities),
        "place": frozenset(facility.place for facility in facilities),
        "catalog": frozenset(catalog.name for catalog in catalogs),
        "end use": frozenset({"defense", "civil", *(demand.end_use for demand in case.demands)}),
    }


def _names(record: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Field, what it names, and each name, in a rule and in the records within it."""
    for column, info in type(record).model_fields.items():
        value: object = getattr(record, column)
        for mark in info.metadata:
            if isinstance(mark, Names):
                yield from ((column, mark.what, name) for name in _words(value))
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                yield from ((f"{column}.{within}", what, name) for within, what, name in _names(one))


def _words(value: object) -> list[str]:
    """The names in a word, a list, a set, or a table whose keys they are."""
    words = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    return sorted(filter(None, (word if isinstance(word, str) else word[0] for word in words)))


_CATALOG = re.compile(r"catalog (\S+)\Z")
_RULE = re.compile(r"rule `(.+)`\Z")
_HELD = re.compile(r"no exchange rate from ([A-Z]{3})|older than the case allows: of (\d{4}-\d{2}-\d{2})")
"""What one of the cells of the row that is meant holds: a currency, or the day of a price."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files that a case was read from."""

    case: Path | None = None
    """The case file; None: it was made in memory."""
    catalogs: Mapping[str, Path | CatalogRows] = field(default_factory=dict)
    """Folder or workbook of each catalog, or what a reader read of it."""
    rules: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """File and line of each rule of a pack."""
    read: Sequence[Mention] = ()
    """Every word of demands that a reader read."""
    told: Callable[[Iterable[Diagnostic]], list[Diagnostic]] = list
    """How they are shown."""

    def __call__(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The same problems, each at every place where what it names stands; as it is where that is not known."""
        found = list(problems)
        words = mentions(self.case) if self.case is not None and any(not p.file for p in found) else []
        words += self.read
        placed = dict.fromkeys(one for problem in found for one in self._placed(problem, words))
        return self.told(sorted(placed, key=lambda problem: (problem.file, problem.row or 0)))

    def _placed(self, problem: Diagnostic, words: list[Mention]) -> Iterator[Diagnostic]:
        rule = _RULE.match(problem.column)
        if problem.file:
            yield self._in_catalog(problem)
        elif rule is not None and rule[1] in self.rules:
            file, row = self.rules[rule[1]]
            yield replace(problem, file=file, row=row)
        else:
            named = rule[1] if rule is not None else problem.found.strip("`")
            column = "rule.id" if rule is not None else problem.column
            at = _mentioned(words, column, named) if named else []
            for word in at:
                column = problem.column if rule is not None or problem.column else word.column
                yield replace(problem, file=word.file, row=word.row, column=column)
            if not at:
                yield replace(problem, file=str(self.case)) if self.case is not None else problem

    def _in_catalog(self, problem: Diagnostic) -> Diagnostic:
        catalog = _CATALOG.match(problem.file)
        table, dot, column = problem.column.partition(".")
        if catalog is None or not dot or catalog[1] not in self.catalogs:
            return problem
        held = _HELD.search(problem.message)
        path, holding = self.catalogs[catalog[1]], (held[1] or held[2]) if held else ""
        place = place_of(path, table, problem.found.strip("`"), holding)
        found = f"an amount in {held[1]}" if held is not None and held[1] else problem.found
        return problem if place is None else replace(problem, file=place[0], row=place[1], column=column, found=found)


def _mentioned(words: Iterable[Mention], column: str, name: str) -> list[Mention]:
    """Where a name stands: under the key meant, else as the name of what has that key, else anywhere in a scenario's changes."""
    section, _, key = column.rpartition(".")
    here = [word for word in words if word.word == name]
    exact = [word for word in here if word.column == key and (word.section == section or not section)]
    within = [word for word in here if word.section.startswith("scenario")] if not section else []
    of_rule = [word for word in here if section == "rule" and word.section.startswith("rule")]
    itself = [word for word in here if (word.section, word.column) == (section, "id")] if section else []
    return exact or within or itself or of_rule
