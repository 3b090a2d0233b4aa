"""Names in rules of the case's own that nothing in the case answers to: such a rule would keep out nothing, and say so nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ..domain.case import Case
from ..domain.countries import is_country
from ..domain.facts import Catalog
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
from ..rules.base import Names, Rule


def misnamed(rules: Sequence[Rule], case: Case, catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """What rules name and nothing answers to.

    Args:
        rules: rules of the case's own and those given in memory. Law at large speaks of more than the catalogs of one case hold.
        case: the case.
        catalogs: its catalogs.
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
        "element": frozenset(material.element for material in materials),
        "form": frozenset(material.form for material in materials),
        "tag": frozenset(tag for material in materials for tag in material.tags),
        "offer": frozenset(offer.id for catalog in catalogs for offer in catalog.offers),
        "facility": frozenset(facility.id for facility in facilities),
        "place": frozenset(facility.place for facility in facilities),
        "catalog": frozenset(catalog.name for catalog in catalogs),
        "end use": frozenset({"defense", "civil", *(demand.end_use for demand in case.demands)}),
    }


def _names(record: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Field, what it names, and each name, in a rule and in the records within it."""
    for field, info in type(record).model_fields.items():
        value: Any = getattr(record, field)
        for mark in info.metadata:
            if isinstance(mark, Names):
                yield from ((field, mark.what, name) for name in _words(value))
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                yield from ((f"{field}.{within}", what, name) for within, what, name in _names(one))


def _words(value: Any) -> list[str]:
    """The names in a word, a list, a set, or a table whose keys they are."""
    words = [value] if isinstance(value, str) else list(value)
    return sorted(filter(None, (word if isinstance(word, str) else word[0] for word in words)))
