"""Concentration: what comes from whoever most comes from; an objective that a case may rank, not a rule of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from ...base import Facts
from ...rows import Row, lacking
from .counting import NOUN, ByCountries
from .grouped import STRETCH


class Concentration(ByCountries):
    """Kilograms from the largest, counted as a cap on a share counts them.

    A kilogram counts for everyone it may come from, and for all where that is not known.
    """

    kind: Literal["concentration"] = "concentration"

    def largest(self, facts: Facts) -> Iterator[Row]:
        """For every group and stretch a row without bounds: the kilograms from whoever most is bought from."""
        for group, part in self.groups(facts):
            everything = self.counted(part, group, surely=False)
            everyone = [belongs for _, belongs in self.each_of(part, group)]
            stretches = part.spans(self.per)
            whole = [(offer, float(everything(offer, place))) for offer, place in part.purchases()]
            counts = [[kg if belongs(offer) else 0.0 for offer, kg in whole] for belongs in everyone]
            bought = part.bought_in_each(counts, [periods for _, periods in stretches])
            for number, (label, _) in enumerate(stretches):
                found = [bought[number * len(counts) + i] for i in range(len(counts))]
                shares = [(Decimal(0), replace(term, times=-1.0)) for term in found if not term.is_empty]
                if shares:
                    yield Row(f"{group} {label}", (lacking(*shares),), reads=self.reads(part))

    def sentence(self) -> str:
        """What is added up, in words."""
        what = f" of {self.subject()}" if self.selects else ""
        who = f"the {NOUN[self.by]} that most comes from"
        where = f", where it is {self.stage.value}" if self.stage is not None else ""
        return f"kilograms bought{what} from {who}{where}, {self.by_group()}, {STRETCH[self.per]}"
