"""Description of relaxed limits: what to change, from which bound to which."""

from __future__ import annotations

from decimal import Decimal

from ..domain.base import exact
from ..domain.unmet import RunRelaxation
from ..rules.base import Rule
from ..rules.rows import Row
from ..rules.terms import ShortfallTerm, ShortTerm
from ..verify.limits import LimitReading

_EVERY = {"year": "yearly ", "period": "", "horizon": "total "}
_NOUNS = {
    "pin": "decided purchase",
    "cover": "stock cover",
    "max-share": "maximum share",
    "min-share": "minimum share",
    "min-delivered": "minimum delivery",
}


def described_relaxation(reading: LimitReading, by: Decimal, currency: str) -> RunRelaxation:
    """Return a row whose bounds are relaxed by an amount, with the bound that the plan reaches."""
    row, value = reading.row, reading.value
    is_minimum = row.at_least is not None and (row.at_most is None or value < row.at_least + by)
    relaxed = row.at_least if is_minimum else row.at_most
    assert relaxed is not None
    return RunRelaxation(
        rule=reading.rule.id,
        limit=_limit_noun(reading.rule),
        label=row.label,
        unit=unit_of(row, currency),
        stated=exact(relaxed + by if is_minimum else relaxed - by),
        relaxed=exact(relaxed),
        is_balance=not row.only_adds or any(isinstance(term, ShortTerm | ShortfallTerm) for term in row.terms),
    )


def unit_of(row: Row, currency: str) -> str:
    """Return the unit of a row: `kg`, the currency, or nothing for a count."""
    units = {term.unit for term in row.all_terms}
    if units <= {"kg"}:
        return "kg"
    return currency if units == {"money"} else ""


def _limit_noun(rule: Rule) -> str:
    return _EVERY.get(getattr(rule, "per", ""), "") + _NOUNS.get(rule.kind, rule.kind.replace("-", " "))
