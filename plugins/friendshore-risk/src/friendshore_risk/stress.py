"""The question `stress`: the cost of losing each supplier, company, country, or catalog, and of insurance against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, money, signed
from friendshore.domain.shown_names import ShownNames
from friendshore.explain.results import CENT
from friendshore.questions.wording import (
    effort,
    ladder,
    left_out,
    mass_of,
    mass_or_nothing,
    not_proved,
    on_screen,
    penalty,
    rise,
    rung,
    weighed,
)

from .stress_answer import Insurance, LossMet, Shortfall, Stress, Stressed

if TYPE_CHECKING:
    pass


SHOWN = 15
"""Losses that are shown of each kind, unless more are asked for."""
MATERIALS_SHOWN = 3


def stress_document(found: Stress, shown: int = SHOWN) -> doc.Document:
    """All losses in order of what they cost, of each table the first `shown` (0: all), and what it took to find out."""
    who = "everyone who could deliver" if found.everything else "everyone the plan buys from"
    head = (
        f"{who[0].upper()}{who[1:]}, taken away in turn from {found.start} to the end of the plan. "
        f"As it is, the plan spends {large_money(found.cash, found.currency)}. Losses are ranked by spend and penalties together."
    )
    known = what_is_known(found)
    parts: list[doc.Element] = [doc.sentence(head), *([known] if known is not None else [])]
    parts.append(_losses("Without each of them alone", found.losses, found, shown))
    if found.pairs:
        parts.append(_losses("Without two countries together", found.pairs, found, shown))
    if found.unasked:
        stopped = f"the search was ended: {count(found.unasked, 'loss', 'losses')} not asked about"
        parts.append(doc.apart(doc.notes([stopped], doc.Tone.DOUBTFUL)))
    return doc.Document("What each loss costs", (*parts, effort(found.effort)))


def what_is_known(found: Stress) -> doc.Notes | None:
    """Whether plans know of a loss before it comes, or what is ordered before a day stays as it is."""
    if found.decided_before is not None:
        return doc.notes([f"what the plan orders before {found.decided_before} stays as it is after each loss"])
    if not found.foreseen:
        return None
    known = (
        f"each plan knows of its loss of {found.start} from the first day on, and may buy ahead of it: "
        f"to keep what is ordered before it, add --decided-before {found.start}"
    )
    return doc.notes([known], doc.Tone.DOUBTFUL)


def _losses(title: str, losses: Sequence[Stressed], found: Stress, shown: int) -> doc.Section:
    felt = [loss for loss in losses if loss.conflict or not costs_nothing(loss)]
    pairs = any(len(loss.loss.names) > 1 for loss in losses)
    more = [loss for loss in felt if not shown or not pairs or more_than_apart(loss)]
    kept = more[: shown or None]
    told = left_out(len(more) - len(kept), "more loss", "more losses", " that cost less")
    told += left_out(len(felt) - len(more), "pair costs", "pairs cost", " what the two cost alone")
    unfelt = [loss.loss.name for loss in losses if not loss.conflict and costs_nothing(loss)]
    if unfelt:
        rest = f"; and {len(unfelt) - shown} more (--top 0)" if shown and len(unfelt) > shown else ""
        told.append(f"costs nothing: {'; '.join(unfelt[: shown or None])}{rest}")
    told += [
        f"not proved, {loss.loss.name}: spend and penalties together rise by {rise(loss.rise)}"
        for loss in kept
        if not loss.conflict and not loss.rise.proved
    ]
    if any(loss.tied for loss in kept):
        told.append("~ for what is proved, it may rank below the next")
    nothing = "no loss costs anything" if losses else "the plan buys from nobody"
    empty = doc.sentence("none costs more" if felt else nothing)
    shown_as = _drawn(title, kept, found, pairs) if kept else empty
    return doc.section(title, shown_as, doc.notes(told))


def _drawn(title: str, losses: Sequence[Stressed], found: Stress, pairs: bool) -> doc.Drawing | doc.DataTable:
    currency = found.currency
    rungs = [
        rung(_named(loss), None, currency, f"rules conflict: {', '.join(loss.conflict)}", doc.Tone.BAD)
        if loss.conflict
        else _bar(loss, found)
        for loss in losses
    ]
    told = f"The cash that the plan spends more, in {currency}; what leaves anything short looks bad."
    return ladder(f"{title}: cash", told, rungs, currency, _table(losses, found, pairs))


def _bar(loss: Stressed, found: Stress) -> charts.Rung:
    words = ", ".join(filter(None, (_lacking(loss, found.names), f"cash {signed(loss.cash)} {found.currency}")))
    tone = doc.Tone.BAD if loss.short else doc.Tone.PLAIN
    return charts.Rung(_named(loss), loss.cash, words, tone if loss.rise.proved else doc.Tone.DOUBTFUL)


def _named(loss: Stressed) -> str:
    """Its name; a catalog and a country are told to be one, for nothing else says it beside a bar."""
    kinds = [kind for kind in loss.loss.by if kind in ("catalog", "country")]
    return f"{loss.loss.name} ({' and '.join(kinds)})" if kinds and len(loss.loss.names) == 1 else loss.loss.name


def _lacking(loss: Stressed, names: ShownNames) -> str:
    return f"short in addition: {', '.join(short_of(loss.short, names))}" if loss.short else ""


def _table(losses: Sequence[Stressed], found: Stress, pairs: bool) -> doc.DataTable:
    columns = [
        doc.Column("Without"),
        *([] if pairs else [doc.Column("Which is")]),
        doc.Column("Short in addition"),
        doc.figures("Cash", found.currency),
        doc.figures("Penalty"),
        *([doc.figures("Beyond the two alone, penalty included")] if pairs else []),
    ]
    return doc.table(columns, [_row(loss, found.names, pairs) for loss in losses])


def penalty_of(loss: Stressed) -> doc.Cell:
    """Return what a loss adds to penalties, gray and rounded; nothing where rules conflict."""
    return doc.NOTHING if loss.conflict else penalty(loss.shortage + loss.penalties)


def costs_nothing(loss: Stressed) -> bool:
    """Whether it is shown to cost nothing, and to leave nothing short."""
    return loss.rise.proved and not loss.short and abs(loss.rise.value) < 1


def more_than_apart(loss: Stressed) -> bool:
    """Whether two countries together cost something else than both alone: where each can stand in for the other."""
    return loss.beyond is None or not loss.rise.proved or abs(loss.beyond) >= 1


def _row(loss: Stressed, names: ShownNames, pairs: bool) -> list[doc.Cell]:
    name = loss.loss.name + (" ~" if loss.tied else "")
    what = [] if pairs else [", ".join([" and ".join(loss.loss.by), *loss.loss.also])]
    beyond = [doc.NOTHING if loss.beyond is None else penalty(loss.beyond)] if pairs else []
    if loss.conflict:
        return [name, *what, f"rules conflict: {', '.join(loss.conflict)}", doc.NOTHING, doc.NOTHING, *beyond]
    short = short_of(loss.short, names)
    told = short[:MATERIALS_SHOWN]
    if len(short) > MATERIALS_SHOWN:
        told.append(f"{len(short) - MATERIALS_SHOWN} more")
    return [
        name,
        *what,
        ", ".join(told) or doc.NOTHING,
        doc.Amount(loss.cash, form="signed"),
        penalty_of(loss),
        *beyond,
    ]


WHO = {"supplier": "supplier", "parent": "parent company", "country": "country", "catalog": "catalog"}
"""Who is lost, by the kind of loss."""


def insurance_document(found: Insurance, shown: int = SHOWN) -> doc.Document:
    """The premium, what becomes of each loss, what the insured plan does otherwise, and the stock that would do instead.

    Of each table the first `shown` rows are told; 0: all.
    """
    title = f"Insured against the loss of any one {WHO[found.by]} from {found.start} on"
    return doc.document(
        "What surviving any loss costs",
        doc.section(title, doc.sentence(_premium(found))),
        _insured_losses(found, shown),
        *_otherwise(found, shown),
        _stock(found),
        effort(found.effort),
    )


def _premium(found: Insurance) -> str:
    open_still = [row for row in found.losses if not row.met]
    but = f", but {count(len(open_still), 'loss', 'losses')} below that nothing insures in full" if open_still else ""
    return (
        f"To be short of no more after any one loss than today{but}, the plan costs {premium_price(found)} where no loss comes. "
        "Nobody knows beforehand which loss comes: orders, stock and onboarding before it are the same for all."
    )


def premium_price(found: Insurance) -> str:
    """What surviving any loss costs more."""
    if not found.premium.proved:
        return f"{found.currency} {rise(found.premium)}, more (present value)"
    if abs(found.premium.value) < CENT:
        return "nothing more"
    return f"{large_money(found.premium.value, found.currency)} more (present value)"


def _insured_losses(found: Insurance, shown: int) -> doc.Section:
    felt = [row for row in found.losses if row.exposed or not row.met]
    kept = felt[: shown or None]
    told = left_out(len(felt) - len(kept), "more loss", "more losses")
    calm = len(found.losses) - len(felt)
    if calm:
        other = "other " if felt else ""
        told.append(
            f"{count(calm, f'{other}loss leaves', f'{other}losses leave')} nothing more short, as things are and insured"
        )
    columns = [doc.Column("If lost"), doc.Column("Short in addition, today"), doc.Column("Insured")]
    columns += [doc.figures("Spend and penalty then", found.currency)]
    rows: list[list[doc.Cell]] = [
        [
            row.loss.name,
            ", ".join(short_of(row.exposed, found.names)) or doc.NOTHING,
            _outcome(row, found.names),
            rise_of(row),
        ]
        for row in kept
    ]
    return doc.section("What each loss leaves short", doc.table(columns, rows) if rows else None, doc.notes(told))


def short_of(short: Sequence[Shortfall], names: ShownNames) -> list[str]:
    """Return what is short, the largest first."""
    ordered = sorted(short, key=lambda each: (-each.kilograms, each.material))
    return [f"{names.material(each.material)} {mass_of(names, each.material, each.kilograms)}" for each in ordered]


def _outcome(row: LossMet, names: ShownNames) -> str:
    if row.met:
        return "nothing more short"
    return row.reason + (f": {', '.join(short_of(row.unmet, names))}" if row.unmet else "")


def rise_of(row: LossMet) -> doc.Cell:
    """Return by how much spend and penalty rise together after a loss, gray and rounded."""
    return doc.NOTHING if row.costs is None else penalty(row.costs)


def _otherwise(found: Insurance, shown: int) -> list[doc.Section]:
    title = "What the insured plan does otherwise before the loss"
    if not found.ordered and not found.ready and not found.onboarded:
        return [doc.section(title, doc.sentence("nothing: the plan as it is already does"))]
    kept = found.ordered[: shown or None]
    rows = [
        [
            found.names.offer_with_id(row.offer) + (" (new)" if row.new else ""),
            mass_or_nothing(row.kilograms),
            mass_or_nothing(row.today),
        ]
        for row in kept
    ]
    told = left_out(len(found.ordered) - len(kept), "more offer")
    told += [
        f"{found.names.offer_with_id(one.offer)} is onboarded for {found.currency} {money(one.cost)}, and only used if a loss comes"
        for one in found.onboarded
    ]
    insured, today = doc.figures("Insured"), doc.figures("Today")
    made = doc.table([doc.Column("Ordered from"), insured, today], rows) if rows else None
    parts = [doc.section(title, made, doc.notes(told))]
    if found.ready:
        ready: list[list[doc.Cell]] = [
            [
                found.names.material(row.material),
                *(weighed(found.names, row.material, kg) if kg else doc.NOTHING for kg in (row.kilograms, row.today)),
            ]
            for row in found.ready
        ]
        parts.append(
            doc.apart(doc.table([doc.Column("In stock or on its way when the loss comes"), insured, today], ready))
        )
    return parts


def _stock(found: Insurance) -> doc.Section | None:
    if not found.stock:
        return None
    columns = [doc.Column("Material"), doc.figures("Stock"), doc.Column("For the loss of")]
    columns += [doc.figures("Holding a year", found.currency), doc.Column("Proved")]
    rows: list[list[doc.Cell]] = [
        [
            found.names.material(row.material),
            weighed(found.names, row.material, row.kilograms),
            row.loss,
            doc.NOTHING if row.holding is None else doc.Amount(row.holding),
            "yes" if row.proved else "no: some loss still leaves it short",
        ]
        for row in found.stock
    ]
    note = "lawful stock in hand when the loss comes; the price of buying it is not in it"
    return doc.section(
        "Stock that would do instead, with the plan as it is", doc.table(columns, rows), doc.notes([note])
    )


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
        _screen_losses(felt, found, top) if felt else None,
        _screen_pairs(pairs, found, top) if pairs else None,
        *(_screen_insurance(insured, top) if insured is not None else ()),
        doc.apart(
            not_proved(loss.rise for loss in (*felt, *pairs)),
            doc.notes(unasked, doc.Tone.DOUBTFUL),
            doc.sentence(doc.Phrase("--full", code=True), ": every table, and what the insured plan does otherwise"),
        ),
    )


def _screen_losses(felt: Sequence[Stressed], found: Stress, top: int) -> doc.Section:
    columns = [
        doc.Column("Without"),
        doc.Column("Which is", from_width=_NARROW),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Penalty", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _screen_name(
                loss.loss.name + (" ~" if loss.tied else "") + ("" if loss.conflict or loss.rise.proved else " ?")
            ),
            " and ".join(loss.loss.by),
            *_screen_outcome(loss, found.names),
        ]
        for loss in felt
    ]
    return doc.apart(
        on_screen(columns, rows, "more loss that costs less", "more losses that cost less", part=6, top=top)
    )


def _screen_outcome(loss: Stressed, names: ShownNames) -> tuple[doc.Cell, doc.Cell, doc.Cell]:
    """Kilograms short in addition, cash, and the penalty; or the rules that conflict."""
    if loss.conflict:
        return doc.Several(("rules conflict", *loss.conflict)), doc.NOTHING, doc.NOTHING
    return _several(short_of(loss.short, names)), doc.Amount(loss.cash, form="signed"), penalty_of(loss)


def _screen_pairs(pairs: Sequence[Stressed], found: Stress, top: int) -> doc.Section:
    columns = [
        doc.Column("Without both"),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Cash", found.currency, "right"),
        doc.Column("Penalty", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _screen_name(loss.loss.name + ("" if loss.conflict or loss.rise.proved else " ?")),
            *_screen_outcome(loss, found.names),
        ]
        for loss in pairs
    ]
    return doc.apart(on_screen(columns, rows, "more pair", part=2, top=top))


def _screen_insurance(found: Insurance, top: int) -> list[doc.Section]:
    """The premium, what nothing insures in full, and the stock that would do instead."""
    unmet = [row for row in found.losses if not row.met]
    columns = [
        doc.Column("Not insured against"),
        doc.Column("Short in addition", from_width=_LAST),
        doc.Column("Spend and penalty then", align="right", from_width=_NARROW),
    ]
    rows: list[list[doc.Cell]] = [
        [
            _screen_name(row.loss.name),
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
            _screen_name(row.loss),
        ]
        for row in sorted(found.stock, key=lambda row: (-(row.holding or 0), row.material))
    ]
    made = on_screen(stock, held, "more material", part=1, top=top) if held else None
    premium = (
        f"To be short of no more after the loss of any one {WHO[found.by]} from {found.start} on than today, the plan costs {premium_price(found)} "
        f"where no loss comes{', and nothing insures it in full against some losses' if unmet else ''}."
    )
    return [doc.apart(doc.sentence(premium), table), *([doc.apart(made)] if made else [])]


def _screen_name(name: str) -> doc.Cell:
    """A name in one piece; one of several companies may be cut between two words."""
    return name if len(name) <= _LONG else doc.Several((name,))


def _several(names: Sequence[str]) -> doc.Cell:
    return doc.Several(tuple(names), one="material") if names else doc.NOTHING


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """What losses cost, and what insurance against any one of them does."""

    losses: Stress
    insurance: Insurance | None
    left_out: str = ""
    """Why there is no insurance, though it was asked for."""
