"""The facts of a run against the installed data that they name: what is said to come from there must stand there so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ..catalog import read_catalogs, united
from ..domain.base import Record
from ..domain.case import Case
from ..domain.facts import Catalog
from ..domain.used import RunPlugin
from ..errors import Problem as Finding
from ..plugins import Registry
from ..rules.base import Rule

FACTS = "facts.json"
_MATERIAL = ("element", "form", "basis", "hs", "stages", "tags")
_FACILITY = ("name", "country", "place", "operator", "parent")
_OFFER = ("facility", "inputs", "outputs", "customs_origin")
_AMENDED = frozenset({"phases", "specific", "specific_currency"})
"""What scenarios and the case's currency may change of a rule."""


def altered_rules(used: RunPlugin, told: Mapping[str, str], rules: Sequence[Rule], registry: Registry) -> list[Finding]:
    """Rules of an installed pack that the facts leave out or give otherwise.

    Args:
        used: the pack; the run used the very data that is installed.
        told: rule -> pack, as the run tells it.
        rules: the rules of the facts.
        registry: what is installed.
    """
    name = used.name
    here = {rule.id: rule for rule in rules}
    found = list(_another_day(used, registry.pack(name).as_of))
    for rule in registry.pack_rules(registry.pack(name)):
        given = here.get(rule.id)
        if given is None:
            found.append(Finding(f"rule `{rule.id}` of pack {name} is missing from the facts", FACTS, column="rules"))
        elif _plain(given) != _plain(rule):
            fields = [f for f in _plain(rule) if _plain(given).get(f) != _plain(rule)[f]]
            message = f"rule `{rule.id}` is not what pack {name} says: {', '.join(fields) or 'kind'} differs"
            found.append(Finding(message, FACTS, column="rules"))
    known = {rule.id for rule in registry.pack_rules(registry.pack(name))}
    found += [
        Finding(f"rule `{rule}` is said to come from pack {name}, which has none of that name", FACTS, column="rules")
        for rule, pack in told.items()
        if pack == name and rule not in known
    ]
    return found


def altered_catalog(used: RunPlugin, given: Iterable[Catalog], case: Case, registry: Registry) -> list[Finding]:
    """Materials, facilities and offers of an installed catalog whose origin the facts tell otherwise.

    Prices and capacities are left alone: scenarios change them. Chains are compared unless the case assumes one, and
    facilities as they are once the case's overlaps are made one.
    """
    name = used.name
    assumed = frozenset(assumption.id for assumption in case.assume.offer if assumption.chain)
    read = read_catalogs([registry.catalog_folder(name)], registry.catalog_folder)
    installed = next(catalog for catalog in united(read, case.overlaps) if catalog.name == name)
    facts = list(given)
    found = list(_another_day(used, installed.as_of))
    found += _differ("material", installed.materials, [m for c in facts for m in c.materials], _MATERIAL, name)
    found += _differ("facility", installed.facilities, [f for c in facts for f in c.facilities], _FACILITY, name)
    offers = [o for c in facts for o in c.offers if o.catalog == name]
    found += _differ("offer", installed.offers, offers, _OFFER, name)
    proved = [offer for offer in offers if offer.id not in assumed]
    found += _differ("offer", installed.offers, proved, ("chain",), name)
    here = {offer.id for offer in installed.offers}
    found += [
        Finding(f"offer `{offer.id}` is said to come from catalog {name}, which has none of that name", FACTS)
        for offer in offers
        if offer.id not in here
    ]
    return found


def _another_day(used: RunPlugin, here: date | None) -> Iterator[Finding]:
    """Whether the run gives the very data that are installed another day: they would pass for fresher than they are."""
    if used.as_of is not None and used.as_of != here:
        message = f"{used.kind} {used.name} was last looked at on another day"
        yield Finding(message, "run.json", column="plugins", found=str(used.as_of), expected=str(here or "none"))


def _differ(
    noun: str, installed: Iterable[Record], given: Iterable[Record], fields: Sequence[str], catalog: str
) -> Iterator[Finding]:
    right = {str(getattr(record, "id", "")): record for record in installed}
    for record in given:
        name = str(getattr(record, "id", ""))
        for field in fields:
            if name in right and getattr(record, field) != getattr(right[name], field):
                message = f"`{field}` of {noun} {name} is not what catalog {catalog} says"
                yield Finding(message, FACTS, found=_shown(record, field), expected=_shown(right[name], field))


def _shown(record: Record, field: str) -> str:
    text = str(record.model_dump(mode="json", include={field}, exclude_defaults=True).get(field, "nothing"))
    return text if len(text) <= 80 else text[:79] + "…"


def _plain(rule: Rule) -> dict[str, Any]:
    data = rule.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in data.items() if name not in _AMENDED}
