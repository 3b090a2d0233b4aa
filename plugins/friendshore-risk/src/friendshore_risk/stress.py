"""The question `stress`: the cost of losing each supplier, company, country, or catalog, and of insurance against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
    penalty,
    ranked,
    rise,
    rung,
    weighed,
)

from .stress_answer import Insurance, LossMet, Shortfall, Stress, Stressed

SHOWN = 15
"""Default number of losses of each kind in the whole document."""
MATERIALS_SHOWN = 3
"""Maximum number of materials in a cell of the whole document."""
_LONG = 34
"""Characters from which a screen may cut a name."""


def stress_document(found: Stress, shown: int = SHOWN, insured: Insurance | None = None) -> doc.Document:
    """Return all losses, the most expensive first, and the insured plan. The whole document has the first `shown` rows of each table, or all if 0."""
    who = "Everyone who could deliver" if found.everything else "Everyone the plan buys from"
    spent = large_money(found.cash, found.currency)
    head = (
        f"{who}, taken away in turn from {found.start} to the end of the plan. "
        f"As it is, the plan spends {spent}. Losses are ranked by spend and penalties together."
    )
    felt = [loss for loss in found.losses if loss.conflict or not costs_nothing(loss)]
    brief = (
        f"{len(felt)} of {count(len(found.losses), 'loss', 'losses')} from {found.start} on would matter: the plan, which spends "
        f"{spent}, made again without each. Ranked by spend and penalties together."
    )
    stopped = f"the search was ended: {count(found.unasked, 'loss', 'losses')} not asked about"
    unasked = doc.notes([stopped] if found.unasked else [], doc.Tone.DOUBTFUL)
    return doc.document(
        "What each loss costs",
        doc.for_whole(doc.sentence(head)),
        doc.for_screen(doc.sentence(brief)),
        what_is_known(found),
        _losses(found.losses, found, shown),
        _losses(found.pairs, found, shown, pairs=True) if found.pairs else None,
        doc.for_whole(doc.apart(unasked)) if unasked else None,
        doc.for_whole(effort(found.effort)),
        *(insurance_parts(insured, shown) if insured is not None else ()),
        doc.for_screen(
            doc.apart(
                not_proved(loss.rise for loss in (*felt, *filter(more_than_apart, found.pairs))),
                unasked,
                doc.sentence(
                    doc.Phrase("--full", code=True), ": every table, and what the insured plan does otherwise"
                ),
            )
        ),
    )


def what_is_known(found: Stress) -> doc.Notes | None:
    """Return a note if plans know of a loss in advance, or if orders before a date are fixed."""
    if found.decided_before is not None:
        return doc.notes([f"what the plan orders before {found.decided_before} stays as it is after each loss"])
    if not found.foreseen:
        return None
    known = (
        f"each plan knows of its loss of {found.start} from the first day on, and may buy ahead of it: "
        f"to keep what is ordered before it, add --decided-before {found.start}"
    )
    return doc.notes([known], doc.Tone.DOUBTFUL)


def _losses(losses: Sequence[Stressed], found: Stress, shown: int, *, pairs: bool = False) -> doc.Section:
    title = "Without two countries together" if pairs else "Without each of them alone"
    felt = [loss for loss in losses if loss.conflict or not costs_nothing(loss)]
    more = [loss for loss in felt if not shown or not pairs or more_than_apart(loss)]
    told = left_out(len(felt) - len(more), "pair costs", "pairs cost", " what the two cost alone")
    unfelt = [loss.loss.name for loss in losses if not loss.conflict and costs_nothing(loss)]
    if unfelt:
        rest = f"; and {len(unfelt) - shown} more (--top 0)" if shown and len(unfelt) > shown else ""
        told.append(f"costs nothing: {'; '.join(unfelt[: shown or None])}{rest}")
    kept = more[: shown or None]
    told += [
        f"not proved, {loss.loss.name}: spend and penalties together rise by {rise(loss.rise)}"
        for loss in kept
        if not loss.conflict and not loss.rise.proved
    ]
    if any(loss.tied for loss in kept):
        told.append("~ for what is proved, it may rank below the next")
    if not more:
        nothing = "no loss costs anything" if losses else "the plan buys from nobody"
        empty = doc.sentence("none costs more" if felt else nothing)
        return replace(doc.section(title, empty, doc.notes(told)), on="whole")
    drawn, notes = _drawn(title, kept, _table(more, found, pairs, shown), found), doc.notes(told)
    return doc.section(title, drawn, doc.for_whole(notes), column="Without both" if pairs else "Without")


def _drawn(title: str, losses: Sequence[Stressed], table: doc.DataTable, found: Stress) -> doc.Drawing | doc.DataTable:
    currency = found.currency
    rungs = [
        rung(_named(loss), None, currency, f"rules conflict: {', '.join(loss.conflict)}", doc.Tone.BAD)
        if loss.conflict
        else _bar(loss, found)
        for loss in losses
    ]
    told = f"The cash that the plan spends more, in {currency}; what leaves anything short looks bad."
    return ladder(f"{title}: cash", told, rungs, currency, table)


def _bar(loss: Stressed, found: Stress) -> charts.Rung:
    words = ", ".join(filter(None, (_lacking(loss, found.names), f"cash {signed(loss.cash)} {found.currency}")))
    tone = doc.Tone.BAD if loss.short else doc.Tone.PLAIN
    return charts.Rung(_named(loss), loss.cash, words, tone if loss.rise.proved else doc.Tone.DOUBTFUL)


def _named(loss: Stressed) -> str:
    """Return its name, labeled for a catalog and a country, since a chart doesn't show the kind."""
    kinds = [kind for kind in loss.loss.by if kind in ("catalog", "country")]
    return f"{loss.loss.name} ({' and '.join(kinds)})" if kinds and len(loss.loss.names) == 1 else loss.loss.name


def _lacking(loss: Stressed, names: ShownNames) -> str:
    return f"short in addition: {', '.join(short_of(loss.short, names))}" if loss.short else ""


def _table(losses: Sequence[Stressed], found: Stress, pairs: bool, shown: int) -> doc.DataTable:
    columns = [
        doc.Column("Without"),
        *([] if pairs else [doc.Column("Which is", from_width=doc.NARROW)]),
        doc.Column("Short in addition", from_width=doc.SPARE),
        doc.figures("Cash", found.currency),
        doc.figures("Penalty", from_width=doc.NARROW),
        *([replace(doc.figures("Beyond the two alone, penalty included"), on="whole")] if pairs else []),
    ]
    rows = [_row(loss, found.names, pairs) for loss in losses]
    if pairs:
        return ranked(columns, rows, "more pair", part=2, top=shown)
    return ranked(columns, rows, "more loss that costs less", "more losses that cost less", part=6, top=shown)


def penalty_of(loss: Stressed) -> doc.Cell:
    """Return the rise of penalties after a loss, gray and rounded. Empty if rules conflict."""
    return doc.NOTHING if loss.conflict else penalty(loss.shortage + loss.penalties)


def costs_nothing(loss: Stressed) -> bool:
    """Return True if it provably costs nothing and causes no shortage."""
    return loss.rise.proved and not loss.short and abs(loss.rise.value) < 1


def more_than_apart(loss: Stressed) -> bool:
    """Return True if two countries together cost something else than both alone, because each can replace the other."""
    return loss.beyond is None or not loss.rise.proved or abs(loss.beyond) >= 1


def _row(loss: Stressed, names: ShownNames, pairs: bool) -> list[doc.Cell]:
    name, doubt = loss.loss.name + (" ~" if loss.tied else ""), "" if loss.conflict or loss.rise.proved else " ?"
    kinds = " and ".join(loss.loss.by)
    head: list[doc.Cell] = [doc.Either(name, _cut_if_long(name + doubt))]
    head += [] if pairs else [doc.Either(", ".join([kinds, *loss.loss.also]), kinds)]
    beyond = [doc.NOTHING if loss.beyond is None else penalty(loss.beyond)] if pairs else []
    if loss.conflict:
        rules = f"rules conflict: {', '.join(loss.conflict)}"
        conflict = doc.Either(rules, doc.Several(("rules conflict", *loss.conflict)))
        return [*head, conflict, doc.NOTHING, doc.NOTHING, *beyond]
    short = _several(short_of(loss.short, names), MATERIALS_SHOWN)
    return [*head, short, doc.Amount(loss.cash, form="signed"), penalty_of(loss), *beyond]


def _cut_if_long(name: str) -> doc.Cell:
    """Return an unbreakable name. A list of companies may break between two words."""
    return name if len(name) <= _LONG else doc.Several((name,))


def _several(names: Sequence[str], named: int = 0) -> doc.Cell:
    return doc.Several(tuple(names), one="material", named=named) if names else doc.NOTHING


WHO = {"supplier": "supplier", "parent": "parent company", "country": "country", "catalog": "catalog"}
"""Kind of a loss -> its noun."""


def insurance_document(found: Insurance, shown: int = SHOWN) -> doc.Document:
    """Return the insured plan as a document of its own."""
    return doc.document("What surviving any loss costs", *insurance_parts(found, shown))


def insurance_parts(found: Insurance, shown: int = SHOWN) -> Iterator[doc.Element | None]:
    """Yield the premium, the losses, the changes of the insured plan, and the equivalent stock.

    The whole document has the first `shown` rows of each table, or all if 0.
    """
    title = f"Insured against the loss of any one {WHO[found.by]} from {found.start} on"
    yield doc.for_whole(doc.section(title, doc.sentence(_premium(found))))
    yield _insured_losses(found, shown)
    yield from map(doc.for_whole, _otherwise(found, shown))
    yield _stock(found, shown)
    yield doc.for_whole(effort(found.effort))


def _premium(found: Insurance) -> str:
    open_still = [row for row in found.losses if not row.met]
    but = f", but {count(len(open_still), 'loss', 'losses')} below that nothing insures in full" if open_still else ""
    return (
        f"To be short of no more after any one loss than today{but}, the plan costs {premium_price(found)} where no loss comes. "
        "Nobody knows beforehand which loss comes: orders, stock and onboarding before it are the same for all."
    )


def premium_price(found: Insurance) -> str:
    """Return the premium for surviving any loss."""
    if not found.premium.proved:
        return f"{found.currency} {rise(found.premium)}, more (present value)"
    if abs(found.premium.value) < CENT:
        return "nothing more"
    return f"{large_money(found.premium.value, found.currency)} more (present value)"


def _insured_losses(found: Insurance, shown: int) -> doc.Section:
    """Return the losses with any shortage, today or insured. On a screen, return those that can't be insured in full."""
    felt = [row for row in found.losses if row.exposed or not row.met]
    unmet = any(not row.met for row in felt)
    calm, other = len(found.losses) - len(felt), "other " if felt else ""
    told = f"{count(calm, f'{other}loss leaves', f'{other}losses leave')} nothing more short, as things are and insured"
    columns = [
        doc.Column("If lost"),
        doc.Column("Short in addition, today", on="whole"),
        doc.Column("Insured", on="whole"),
        doc.Column("Short in addition", from_width=doc.SPARE, on="screen"),
        doc.Column("Spend and penalty then", "", "right", from_width=doc.NARROW, on="screen"),
        doc.Column("Spend and penalty then", found.currency, "right", whole=True, on="whole"),
    ]
    rows = [
        doc.DataRow(
            (
                doc.Either(row.loss.name, _cut_if_long(row.loss.name)),
                ", ".join(short_of(row.exposed, found.names)) or doc.NOTHING,
                _outcome(row, found.names),
                _several(short_of(row.unmet, found.names)) if row.unmet else row.reason or doc.NOTHING,
                *(rise_of(row), rise_of(row)),
            ),
            on="whole" if row.met else None,
        )
        for row in felt
    ]
    premium = (
        f"To be short of no more after the loss of any one {WHO[found.by]} from {found.start} on than today, the plan costs {premium_price(found)} "
        f"where no loss comes{', and nothing insures it in full against some losses' if unmet else ''}."
    )
    table = ranked(columns, rows, "more loss", "more losses", part=2, top=shown) if rows else None
    return doc.section(
        "What each loss leaves short",
        doc.for_screen(doc.sentence(premium)),
        table if unmet else doc.for_whole(table),
        doc.for_whole(doc.notes([told] if calm else [])),
        column="Not insured against",
    )


def short_of(short: Sequence[Shortfall], names: ShownNames) -> list[str]:
    """Return the shortages, largest first."""
    ordered = sorted(short, key=lambda each: (-each.kilograms, each.material))
    return [f"{names.material(each.material)} {mass_of(names, each.material, each.kilograms)}" for each in ordered]


def _outcome(row: LossMet, names: ShownNames) -> str:
    if row.met:
        return "nothing more short"
    return row.reason + (f": {', '.join(short_of(row.unmet, names))}" if row.unmet else "")


def rise_of(row: LossMet) -> doc.Cell:
    """Return the total rise of spend and penalties after a loss, gray and rounded."""
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


def _stock(found: Insurance, shown: int) -> doc.Section | None:
    if not found.stock:
        return None
    columns = [
        doc.Column("Material"),
        doc.figures("Quantity"),
        doc.figures("Holding a year", found.currency, from_width=doc.NARROW),
        doc.Column("For the loss of", from_width=doc.NARROW),
        doc.Column("Proved", on="whole"),
    ]
    names = found.names
    rows: list[list[doc.Cell]] = [
        [
            doc.Either(names.material(row.material), names.label(row.material) + ("" if row.proved else " ?")),
            weighed(names, row.material, row.kilograms),
            doc.NOTHING if row.holding is None else doc.Amount(row.holding),
            doc.Either(row.loss, _cut_if_long(row.loss)),
            "yes" if row.proved else "no: some loss still leaves it short",
        ]
        for row in sorted(found.stock, key=lambda row: (-(row.holding or 0), row.material))
    ]
    return doc.section(
        "Stock that would do instead, with the plan as it is",
        ranked(columns, rows, "more material", top=shown),
        doc.for_whole(doc.notes(["lawful stock in hand when the loss comes; the price of buying it is not in it"])),
        column="Stock that would do instead",
    )


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """The cost of losses, and insurance against any one of them."""

    losses: Stress
    insurance: Insurance | None
    left_out: str = ""
    """Reason why a requested insurance is missing."""
