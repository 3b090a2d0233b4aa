"""`what-if`: what changes change, answered by solving only what they affect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from friendshore.case import parsed_changes
from friendshore.document import elements as doc
from friendshore.document.elements import Document
from friendshore.domain.base import Number, Record, totals
from friendshore.domain.plan import Infeasible
from friendshore.errors import InputError
from friendshore.explain.results import Difference, PlanRise, QuestionResult, difference, names_of, plan_rise
from friendshore.questions import Question
from friendshore.questions.base import Setting
from friendshore.questions.wording import cash, not_proved, ranked
from friendshore.questions.wording import difference as difference_cell
from friendshore.recommend import Opened
from friendshore.session import Answer, PartPlan
from friendshore.solve import Progress


class ChangedPurchase(Record):
    """Purchases from an offer, or use of a stock, that change."""

    material: str
    offer: str
    place: str
    """Place of delivery."""
    before_kg: Number
    after_kg: Number


class WhatIf(QuestionResult):
    """Effect of changes on the cheapest plan."""

    TABLES: ClassVar[tuple[str, ...]] = ("purchases",)
    case: str
    currency: str
    changes: list[str]
    """The changes, as asked."""
    verified: bool = True
    """True: both plans were verified against the facts, by other code than the solver's."""
    objective: Difference
    """Change of the minimized objective: money spent at present value, and penalties. Not proved: between the bounds."""
    rise: PlanRise
    """Change of its parts."""
    purchases: list[ChangedPurchase]
    conflicts: list[Infeasible]
    """Materials that can't be planned after the changes, with the rules that conflict. Costs then exclude them."""


def what_if(opened: Opened, texts: Iterable[str]) -> WhatIf:
    """Return the effect of changes, or raise `InputError` with all that can't be read or match nothing."""
    session, listed = opened.session, list(texts)
    if not listed:
        fix = 'write one, such as "price=OFFER, factor=1.1"'
        raise InputError("a what-if needs a change", column="change", fix=fix, code="FS501")
    with parsed_changes(listed) as changes:
        answer = session.what_if(*changes)
    purchases = _changed_purchases(answer)
    return WhatIf(
        names=names_of(session.problem, (line.offer for line in purchases)),
        case=session.problem.case.name,
        currency=session.problem.case.currency,
        changes=listed,
        objective=difference(answer),
        rise=plan_rise(session, answer),
        purchases=purchases,
        conflicts=list(answer.infeasible),
    )


def _changed_purchases(answer: Answer) -> list[ChangedPurchase]:
    before, after = _bought(answer.before), _bought(answer.after)
    none = Decimal(0)
    return [
        ChangedPurchase(
            material=key[0],
            offer=key[1],
            place=key[2],
            before_kg=before.get(key, none),
            after_kg=after.get(key, none),
        )
        for key in sorted({*before, *after})
        if before.get(key, none) != after.get(key, none)
    ]


def _bought(parts: Iterable[PartPlan]) -> dict[tuple[str, str, str], Decimal]:
    lines = (line for part in parts for line in part.verified.lines)
    return dict(totals(((line.material, line.name, line.place), line.quantity) for line in lines))


@dataclass(frozen=True, slots=True)
class WhatIfOptions:
    """Options of the question."""

    change: Annotated[
        tuple[str, ...],
        Setting(
            "Change, written like a `change` table of a case file, such as 'price=OFFER, factor=1.1' or 'remove=country:CN'. Repeatable; applied in order.",
            "CHANGE",
            flags=("--change",),
        ),
    ]


class WhatIfQuestion(Question[WhatIfOptions, WhatIf]):
    """Show what changes change in the cheapest plan: cost, shortages, and purchases.

    Solves only the parts of the case that the changes affect. Prices of shortages and of holding stock remain those of the case.
    """

    name = "what-if"
    options = WhatIfOptions

    def ask(self, opened: Opened, options: WhatIfOptions, progress: Progress | None) -> WhatIf:
        return what_if(opened, options.change)

    def document(self, result: WhatIf, options: WhatIfOptions) -> Document:
        names, rise = result.names, result.rise
        costs = (
            ("Spend", cash(rise.cash, signed=True)),
            ("Spend, present value", cash(rise.spent, signed=True)),
            ("Penalties for shortages and limits, not paid", cash(rise.penalty, signed=True)),
            ("Both, present value", difference_cell(result.objective)),
        )
        shortages = [
            (names.material(material), doc.Kilograms(kilograms)) for material, kilograms in rise.short_kg.items()
        ]
        purchases: list[tuple[doc.Cell, ...]] = [
            (
                names.material(line.material),
                names.offer(line.offer),
                line.place,
                *map(doc.Kilograms, (line.before_kg, line.after_kg)),
            )
            for line in result.purchases
        ]
        conflicts = [
            f"{', '.join(part.materials)}: no plan satisfies {', '.join(part.rules)}" for part in result.conflicts
        ]
        return doc.document(
            f"What if: {'; '.join(result.changes)}",
            doc.section_if_any("Conflicts", doc.notes(conflicts, doc.Tone.BAD)),
            doc.table((doc.Column("Change of"), doc.figures("Amount", result.currency)), costs),
            not_proved([result.objective]),
            doc.section(
                "More or less is short", doc.table((doc.Column("Material"), doc.figures("Shortage")), shortages)
            )
            if shortages
            else None,
            doc.section(
                "Purchases that change",
                ranked(
                    [*map(doc.Column, ("Material", "From", "Place")), *map(doc.figures, ("Before", "After"))],
                    purchases,
                    "more purchase",
                ),
            )
            if purchases
            else doc.sentence("No purchase changes."),
        )
