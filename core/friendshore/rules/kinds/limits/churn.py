"""How much may move away from today's suppliers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Literal

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts, IncumbentLine
from ...rows import Row, Term, lacking
from ..shared import Share
from .grouped import STRETCH, Grouped


class MaxChurn(Grouped):
    """No more than a share of what is bought today may move away from those it is bought from.

    What an incumbent loses is what today's rate comes to, less what orders already placed bring and what is bought from it,
    and never less than nothing: what one incumbent gains makes up for no other's loss. An incumbent that is not offered any
    more loses all.
    """

    model_config = {"json_schema_extra": {"examples": [{"share": "50 %"}]}}

    kind: Literal["max-churn"] = "max-churn"
    share: Share
    """Of all that is bought today, from 0 to 1, or like `20 %`."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group and stretch in which something is bought today."""
        known = {material.id for material in facts.materials}
        members: dict[str, list[IncumbentLine]] = {}
        for line in facts.incumbents:
            if self.group(line.material) and line.material.id in known:
                members.setdefault(self.group(line.material), []).append(line)
        for group, lines in sorted(members.items()):
            part = facts.about({line.material.id for line in lines})
            for label, periods in facts.spans(self.per):
                today = sum((self._kilograms(line, line.quantity, periods) for line in lines), Decimal(0))
                yield Row(
                    label=f"{group} {label}",
                    terms=tuple(self._lost(part, line, periods) for line in lines),
                    at_most=self.share * today,
                    sentence=self.sentence(),
                    penalty=self.penalty,
                )

    def _kilograms(self, line: IncumbentLine, by_period: Sequence[Decimal], periods: Sequence[int]) -> Decimal:
        return self.contained(line.material) * sum((by_period[t] for t in periods), Decimal(0))

    def _lost(self, facts: Facts, line: IncumbentLine, periods: Sequence[int]) -> Term:
        """What an incumbent loses over some periods."""
        placed = self._kilograms(line, line.placed, periods)
        base = self._kilograms(line, line.quantity, periods) - placed
        return lacking((base, facts.bought(self._of(line), periods)))

    def _of(self, line: IncumbentLine) -> Callable[[Chained, Place], Decimal]:
        def count(offer: Chained, _place: Place) -> Decimal:
            same = (offer.offer.id, offer.material.id) == (line.offer, line.material.id)
            return self.contained(line.material) if same else Decimal(0)

        return count

    def sentence(self) -> str:
        """The cap in one sentence."""
        share = f"{(self.share * 100).normalize():f} %"
        what = f"what is bought today of {self.subject()}, {self.by_group()}"
        return f"No more than {share} of {what}, {STRETCH[self.per]}, may move away from those it is bought from."
