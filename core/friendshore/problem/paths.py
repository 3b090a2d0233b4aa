"""Benchmarks, exchange rates and accepted capacities, looked up once for all offers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..domain.base import Sharing, exact, rounded
from ..domain.basis import Factors, content_of
from ..domain.case import Case
from ..domain.facts import CapacityStep, Facility, Material
from ..domain.market import BenchmarkPrice
from .capacity import accepted_steps
from .merged import Merged, exchange


class Paths:
    """What prices are made of, period by period."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case
        self.factors = Factors(merged.factors)
        self.unlimited: tuple[Decimal | None, ...] = (None,) * case.horizon.count
        """Most units in each period of an offer without limits of its own."""
        self.sharing = Sharing()
        self._level: dict[str, tuple[Decimal, ...]] = {}
        """By the price as it is written: equal ones may differ in their zeros."""
        self._steps: dict[str, tuple[CapacityStep, ...]] = {}
        self._rates: dict[str, tuple[Decimal, ...] | None] = {}
        self._rows: dict[str, tuple[BenchmarkPrice, ...]] = {}
        self._amounts: dict[tuple[str, str], tuple[Decimal, ...] | None] = {}

    def level(self, price: Decimal) -> tuple[Decimal, ...]:
        """A price that is the same in every period."""
        written = str(price)
        if written not in self._level:
            self._level[written] = (price,) * self.case.horizon.count
        return self._level[written]

    def steps(self, facility: Facility) -> tuple[CapacityStep, ...]:
        """The capacity steps of a facility that the case accepts."""
        if facility.id not in self._steps:
            self._steps[facility.id] = accepted_steps(facility, self.merged, self.case)
        return self._steps[facility.id]

    def rates(self, currency: str) -> tuple[Decimal, ...] | None:
        """What one unit of a currency is worth in the case's on the first day of each period; None without a rate."""
        if currency not in self._rates:
            rates, to = self.merged.rates, self.case.currency
            found = [exchange(rates, currency, to, period.start) for period in self.case.horizon.periods]
            known = tuple(rate for rate in found if rate is not None)
            self._rates[currency] = known if len(known) == len(found) else None
        return self._rates[currency]

    def rows(self, benchmark: str) -> tuple[BenchmarkPrice, ...]:
        """The accepted price of a benchmark that holds in each period: the last before it, else the first; empty without any."""
        if benchmark not in self._rows:
            least = self.case.accept.confidence
            known = self.merged.prices.get(benchmark, ())
            usable = [row for row in known if self.merged.confidence(row.source).reaches(least)]
            found = []
            for period in self.case.horizon.periods if usable else ():
                past = [row for row in usable if row.date <= period.start]
                found.append(past[-1] if past else usable[0])
            self._rows[benchmark] = tuple(found)
        return self._rows[benchmark]

    def amounts(self, benchmark: str, material: Material) -> tuple[Decimal, ...] | None:
        """The benchmark in each period, per kilogram of a material's basis; None if some row cannot be converted to it."""
        key = benchmark, material.id
        if key not in self._amounts:
            rows = self.rows(benchmark)
            factors = [self.basis(self.merged.materials[row.material], material) for row in rows]
            known = [factor for factor in factors if factor is not None]
            whole = len(known) == len(rows)
            self._amounts[key] = tuple(r.amount * f for r, f in zip(rows, known, strict=True)) if whole else None
        return self._amounts[key]

    def basis(self, quoted: Material, wanted: Material) -> Decimal | None:
        """Kilograms of the quoted material's basis that hold as much of the element as one of the wanted one's."""
        if quoted.id == wanted.id or (quoted.basis == wanted.basis != "gross"):
            return Decimal(1)
        have, want = content_of(quoted, self.factors), content_of(wanted, self.factors)
        if quoted.element != wanted.element or not have or not want:
            return None
        return exact(want / have)

    def without_rate(self, currencies: Sequence[str]) -> str | None:
        """The first of some currencies that cannot be turned into the case's."""
        return next((currency for currency in dict.fromkeys(currencies) if self.rates(currency) is None), None)

    def in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...]:
        """Money of each period, as stored numbers, in the case's currency; every currency has a rate."""
        if currencies.count(self.case.currency) == len(currencies):
            return tuple(amounts)
        rates = [(self.rates(currency) or ())[t] for t, currency in enumerate(currencies)]
        return tuple([rounded(amount * rate) for amount, rate in zip(amounts, rates, strict=True)])
