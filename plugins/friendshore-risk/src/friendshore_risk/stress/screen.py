"""What losses cost, on a screen: those that hurt most, what two countries cost together, and what surviving any loss takes."""

from __future__ import annotations

from collections.abc import Sequence

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money
from friendshore.domain.shown_names import ShownNames
from friendshore.questions.wording import not_proved, on_screen, weighed

from .document import (
    SHOWN,
    WHO,
    costs_nothing,
    more_than_apart,
    penalty_of,
    premium_price,
    rise_of,
    short_of,
    what_is_known,
)
from .insured import Insurance
from .search import Stress, Stressed

_NARROW, _LAST = 70, 1
"""Characters of a line below which columns are left out that are looked up elsewhere; the last of them only where names take their room."""
_LONG = 34
"""Characters from which on a name is cut where there is no room for it."""


def stress_screen(found: Stress, insured: Insurance | None = None, top: int = SHOWN) -> doc.Document:
    """The dearest losses, of each table as many as there is room for; `top`: rows that the whole document shows of each."""
    felt = [loss for loss in found.losses if loss.conflict or not costs_nothing(loss)]
    pairs = [loss for loss in found.pairs if (loss.conflict or not costs_nothing(loss)) and more_than_apart(loss)]
    head = (
        f"{len(felt)} of {count(len(found.losses), 'loss', 'losses')} from {found.start} on would matter: the plan, which spends "
        f"{large_money(found.cash, found.currency)}, made again without each. Ranked by spend and penalties together."
    )
    unasked = (
        [f"the search was ended: {count(found.unasked, 'loss', 'losses')} not asked about"] if found.unasked else []
    )
    return doc.document(
        "What each loss costs",
        doc.sentence(head),
        what_is_known(found),
        _losses(felt, found, top) if felt else None,
        _pairs(pairs, found, top) if pairs else None,
        *(_insured(insured, top) if insured is not None else ()),
        doc.apart(
            not_proved(loss.rise for loss in (*felt, *pairs)),
            doc.notes(unasked, doc.Tone.DOUBTFUL),
            doc.sentence(doc.Phrase("--full", code=True), ": every table, and what the insured plan does otherwise"),
        ),
    )


def _losses(felt: Sequence[Stressed], found: Stress, top: int) -> doc.Section:
    columns = [
        doc.Column("Without"),
        doc.Column("Which is", from_width=_NARROW),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Penalty", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _named(loss.loss.name + (" ~" if loss.tied else "") + ("" if loss.conflict or loss.rise.proved else " ?")),
            " and ".join(loss.loss.by),
            *_outcome(loss, found.names),
        ]
        for loss in felt
    ]
    return doc.apart(
        on_screen(columns, rows, "more loss that costs less", "more losses that cost less", part=6, top=top)
    )


def _outcome(loss: Stressed, names: ShownNames) -> tuple[doc.Cell, doc.Cell, doc.Cell]:
    """Kilograms short in addition, cash, and the penalty; or the rules that conflict."""
    if loss.conflict:
        return doc.Several(("rules conflict", *loss.conflict)), doc.NOTHING, doc.NOTHING
    return _several(short_of(loss.short, names)), doc.Amount(loss.cash, form="signed"), penalty_of(loss)


def _pairs(pairs: Sequence[Stressed], found: Stress, top: int) -> doc.Section:
    columns = [
        doc.Column("Without both"),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Penalty", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _named(loss.loss.name + ("" if loss.conflict or loss.rise.proved else " ?")),
            *_outcome(loss, found.names),
        ]
        for loss in pairs
    ]
    return doc.apart(on_screen(columns, rows, "more pair", part=2, top=top))


def _insured(found: Insurance, top: int) -> list[doc.Section]:
    """The premium, what nothing insures in full, and the stock that would do instead."""
    unmet = [row for row in found.losses if not row.met]
    columns = [
        doc.Column("Not insured against"),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Spend and penalty then", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _named(row.loss.name),
            _several(short_of(row.unmet, found.names)) if row.unmet else row.reason or doc.NOTHING,
            rise_of(row),
        ]
        for row in unmet
    ]
    table = on_screen(columns, rows, "more loss", "more losses", part=2, top=top) if rows else None
    stock = [
        doc.Column("Stock that would do instead"),
        doc.Column("Quantity", align="right"),
        doc.Column("Holding a year", found.currency, "right", from_width=_NARROW),
        doc.Column("For the loss of", from_width=_NARROW),
    ]
    held: list[list[doc.Cell]] = [
        [
            found.names.label(row.material) + ("" if row.proved else " ?"),
            weighed(found.names, row.material, row.kilograms),
            doc.NOTHING if row.holding is None else doc.Amount(row.holding),
            _named(row.loss),
        ]
        for row in sorted(found.stock, key=lambda row: (-(row.holding or 0), row.material))
    ]
    made = on_screen(stock, held, "more material", part=1, top=top) if held else None
    premium = (
        f"To be short of no more after the loss of any one {WHO[found.by]} from {found.start} on than today, the plan costs {premium_price(found)} "
        f"where no loss comes{', and nothing insures it in full against some losses' if unmet else ''}."
    )
    return [doc.apart(doc.sentence(premium), table), *([doc.apart(made)] if made else [])]


def _named(name: str) -> doc.Cell:
    """A name in one piece; one of several companies may be cut between two words."""
    return name if len(name) <= _LONG else doc.Several((name,))


def _several(names: Sequence[str]) -> doc.Cell:
    return doc.Several(tuple(names), one="material") if names else doc.NOTHING
