"""What must be delivered: all of a demand, or a share of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from ...base import DemandLine, Facts, Names
from ...rows import Row
from ..shared import Covering, EndUses, InMoney, PerKilogram, Share, for_use, listed
from .grouped import STRETCH, Per, row_of


class MinDelivered(Covering, InMoney):
    """No less than a share of what is wanted is delivered; if no share is given, all of it: demand that must be met.

    What a demand is short of is priced all the same. Where not so much can be delivered, the rule conflicts, and nothing is
    planned for what it is about.
    """

    model_config = {"json_schema_extra": {"examples": [{}, {"share": "98 %", "per": "year"}]}}

    kind: Literal["min-delivered"] = "min-delivered"
    share: Share = Decimal(1)
    """Of what is wanted, from 0 to 1, or like `98 %`."""
    demands: Annotated[tuple[str, ...], Names("demand")] = ()
    """Only these demands, by id; none: all."""
    end_uses: EndUses = frozenset()
    """End uses whose demand it is about; none: all."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places whose demand it is about; none: all."""
    per: Per = "period"
    """Over which stretch the share is reached: every period, every calendar year, or the whole plan."""
    together: bool = False
    """Whether all these demands are counted in one row; false: each in its own."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram, a number or like `5 USD/kg`, by which it may be missed; none: it must hold."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """For every stretch in which something is wanted a row for each demand, or one for all of them."""
        for name, demands in self._counted(facts):
            counts = _one_of(demands)
            reads = frozenset(demand.use.material.id for demand in demands)
            for label, periods in facts.spans(self.per):
                wanted = facts.demanded(counts, periods)
                if wanted:
                    short = facts.short(counts, periods)
                    yield row_of(self, f"{name} {label}", (short,), at_most=wanted * (1 - self.share), reads=reads)

    def _counted(self, facts: Facts) -> Iterator[tuple[str, Sequence[DemandLine]]]:
        """What is counted in one row: a name, and the demands."""
        about = [demand for demand in facts.demands if self._is_about(demand)]
        if self.together:
            yield "together", about
        else:
            yield from ((demand.id, [demand]) for demand in about)

    def _is_about(self, demand: DemandLine) -> bool:
        use = demand.use
        return (
            self.covers(use.material)
            and (not self.demands or demand.id in self.demands)
            and (not self.end_uses or use.end_use in self.end_uses)
            and (not self.places or use.place.id in self.places)
        )

    def sentence(self) -> str:
        """The rule in one sentence."""
        much = "All" if self.share == 1 else f"At least {(self.share * 100).normalize():f} %"
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        which = f" ({listed(self.demands, 'or')})" if self.demands else ""
        each = "all together" if self.together else "demand by demand"
        what = f"{self.subject()}{for_use(self.end_uses)}{where}{which}"
        return f"{much} that is wanted of {what} must be delivered, {each}, {STRETCH[self.per]}."


def _one_of(demands: Sequence[DemandLine]) -> Callable[[DemandLine], int]:
    """What each demand counts: 1 if it is one of some."""
    ids = {demand.id for demand in demands}
    return lambda demand: int(demand.id in ids)
