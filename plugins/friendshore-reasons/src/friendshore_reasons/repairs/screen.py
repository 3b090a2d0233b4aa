"""Repairs on a screen: of each shortage the cheapest, and the cheapest in a single step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money
from friendshore.domain.base import grouped
from friendshore.questions.told import mass_of

from .document import SHOWN, gap_notes, gap_title, repairs_document, steps_told
from .records import Gap, Repair, Repairs


def repairs_screen(found: Repairs, shown: int = SHOWN) -> doc.Document:
    """The gaps, those first that serving saves most. Of one gap all, to so many repairs."""
    if len(found.gaps) < 2:
        return repairs_document(found, shown)
    by_gap = grouped((repair.gap, repair) for repair in found.repairs)
    gaps = [(gap, by_gap.get(place, [])) for place, gap in enumerate(found.gaps, 1)]
    gaps.sort(key=lambda each: (not each[1], _worth(each[1])))
    able = sum(1 for gap, some in gaps if some or gap.dearer)
    head = (
        f"{able} of {count(len(gaps), 'shortage')} can be served in full. A repair serves in full what is short, while nobody else is short of more; "
        "what its steps themselves take (a plant's expansion, a stock's price) is in no figure."
    )
    return doc.document(
        "What would serve what is short",
        doc.sentence(head),
        *(doc.section(gap_title(gap, found.names), doc.notes(_told(gap, some, found))) for gap, some in gaps),
        doc.apart(
            doc.sentence(
                *(doc.Phrase("--full", code=True), ": every repair, and what is to be proved, waived or asked; "),
                *(doc.Phrase("--toml", code=True), ": as scenarios"),
            )
        ),
    )


def _worth(repairs: Sequence[Repair]) -> Decimal:
    return min((repair.cost.value for repair in repairs if repair.cost is not None), default=Decimal(0))


def _told(gap: Gap, repairs: Sequence[Repair], found: Repairs) -> Iterator[str]:
    """The cheapest repair and the cheapest of fewest steps; where there is none, why."""
    if gap.rules:
        yield ", ".join(gap.rules)
    if gap.dearer or not repairs:
        yield from gap_notes(gap, len(repairs), len(repairs))
    if not repairs:
        return
    first, *others = repairs
    more = (
        [f"the cheapest of {len(repairs)}{'' if gap.complete else ' found before the search was ended'}"]
        if others
        else []
    )
    yield _repair(first, gap, found, more)
    fewest = min(repairs, key=lambda repair: (len(repair.uses), repair.rank))
    if len(fewest.uses) < len(first.uses):
        yield _repair(fewest, gap, found, [f"the cheapest in {count(len(fewest.uses), 'step')}"])


def _repair(repair: Repair, gap: Gap, found: Repairs, told: Sequence[str]) -> str:
    """What it takes, and the cash that the plan then spends more."""
    steps = "; ".join(steps_told(repair.uses, found.names)) + ("" if repair.least else " (not shown to be the least)")
    if repair.left is None:
        return f"{steps}: {', '.join(['not planned in time, so not proved', *told])}"
    cash = repair.cash
    much = "no more cash" if cash is None or abs(cash) < 1 else _spends(cash, found.currency)
    doubt = [] if repair.cost is None or repair.cost.proved else ["not proved the cheapest"]
    return f"{steps}: {', '.join([much, *doubt, *told, *_left(repair, gap, found)])}"


def _left(repair: Repair, gap: Gap, found: Repairs) -> Iterator[str]:
    """Yield what a plan leaves short after the repair because that costs less, penalties included."""
    if repair.left and not repair.rounded:
        yield f"{mass_of(found.names, gap.material, repair.left)} stay short, since serving them costs more than their penalty"


def _spends(cash: Decimal, currency: str) -> str:
    return f"{large_money(abs(cash), currency)} {'more' if cash > 0 else 'less'} cash"
