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
    cash,
    effort,
    ladder,
    mass_of,
    mass_or_nothing,
    not_proved,
    omitted_note,
    penalty,
    ranked,
    rise,
    rung,
    weighed,
)

from .stress_answer import Insurance, InsuredLoss, LossResult, Shortfall, Stress

SHOWN = 15
MATERIALS_SHOWN = 3
_LONG = 34


def stress_document(answer: Stress, shown: int = SHOWN, insurance: Insurance | None = None) -> doc.Document:
    """Return all losses, the most expensive first, and the insured plan. The whole document has the first `shown` rows of each table, or all if 0."""
    suppliers_text = "Each possible supplier" if answer.all_suppliers else "Each supplier of the plan"
    spend_text = large_money(answer.cash, answer.currency)
    full_intro = (
        f"{suppliers_text} is removed in turn from {answer.start} to the end of the plan. "
        f"The current plan spends {spend_text}. Losses are ranked by spend plus penalties."
    )
    costly_losses = [loss for loss in answer.losses if loss.conflict or not costs_nothing(loss)]
    worst = next((loss for loss in costly_losses if loss.loss.by != ("catalog",)), None)
    worst_text = f"; the most expensive supplier or country to lose is {_loss_label(worst)}" if worst else ""
    short_intro = (
        f"{len(costly_losses)} of {count(len(answer.losses), 'loss', 'losses')} from {answer.start} on would matter{worst_text}. "
        f"The plan, which spends {spend_text}, is made again without each. Ranked by spend plus penalties."
    )
    ended_text = f"the search was ended before {count(answer.not_tried, 'loss', 'losses')} could be evaluated"
    ended_note = doc.notes([ended_text] if answer.not_tried else [], doc.Tone.DOUBTFUL)
    return doc.document(
        "Cost of each loss",
        doc.for_whole(doc.sentence(full_intro)),
        doc.for_screen(doc.answer(short_intro)),
        foresight_note(answer),
        _losses(answer.losses, answer, shown),
        _losses(answer.pairs, answer, shown, pairs=True) if answer.pairs else None,
        doc.for_whole(doc.apart(ended_note)) if ended_note else None,
        doc.for_whole(effort(answer.effort)),
        *(insurance_parts(insurance, shown) if insurance is not None else ()),
        doc.for_screen(
            doc.apart(
                not_proved(loss.rise for loss in (*costly_losses, *filter(interact, answer.pairs))),
                ended_note,
                doc.sentence(doc.Phrase("--full", code=True), ": all tables, and the changes of the insured plan"),
            )
        ),
    )


def foresight_note(answer: Stress) -> doc.Notes | None:
    if answer.decided_before is not None:
        return doc.notes([f"orders before {answer.decided_before} stay as they are after each loss"])
    if not answer.foreseen:
        return None
    text = (
        f"each plan knows of its loss on {answer.start} from the first day on, and may buy ahead of it. "
        f"To keep earlier orders, add --decided-before {answer.start}"
    )
    return doc.notes([text], doc.Tone.DOUBTFUL)


def _losses(losses: Sequence[LossResult], answer: Stress, shown: int, *, pairs: bool = False) -> doc.Section:
    title = "Without two countries together" if pairs else "Without each one alone"
    costly_losses = [loss for loss in losses if loss.conflict or not costs_nothing(loss)]
    interacting_losses = [loss for loss in costly_losses if not shown or not pairs or interact(loss)]
    note_texts = omitted_note(
        len(costly_losses) - len(interacting_losses), "pair costs", "pairs cost", " the sum of both alone"
    )
    free_names = [loss.loss.shown for loss in losses if not loss.conflict and costs_nothing(loss)]
    if free_names:
        hidden_text = f"; and {len(free_names) - shown} more (--top 0)" if shown and len(free_names) > shown else ""
        note_texts.append(f"costs nothing: {'; '.join(free_names[: shown or None])}{hidden_text}")
    shown_rows = interacting_losses[: shown or None]
    note_texts += [
        f"not proved for {loss.loss.shown}: spend plus penalties rise by {rise(loss.rise)}"
        for loss in shown_rows
        if not loss.conflict and not loss.rise.proved
    ]
    if any(loss.tied for loss in shown_rows):
        note_texts.append("~ this loss may rank below the next, because its cost isn't proved exactly")
    if not interacting_losses:
        empty_text = "no loss costs anything" if losses else "the plan buys nothing"
        empty_sentence = doc.sentence("no pair costs more than both alone" if costly_losses else empty_text)
        return replace(doc.section(title, empty_sentence, doc.notes(note_texts)), on="whole")
    chart, notes = (
        _chart(title, shown_rows, _table(interacting_losses, answer, pairs, shown), answer),
        doc.notes(note_texts),
    )
    return doc.section(title, chart, doc.for_whole(notes), column="Without both" if pairs else "Without")


def _chart(
    title: str, losses: Sequence[LossResult], table: doc.DataTable, answer: Stress
) -> doc.Drawing | doc.DataTable:
    currency = answer.currency
    rungs = [
        rung(_loss_label(loss), None, currency, f"rules conflict: {', '.join(loss.conflict)}", doc.Tone.BAD)
        if loss.conflict
        else _bar(loss, answer)
        for loss in losses
    ]
    description = f"Additional cash in {currency}. Negative where less is delivered, and so less is paid."
    return ladder(f"{title}: cash", description, rungs, currency, table)


def _bar(loss: LossResult, answer: Stress) -> charts.Rung:
    label = ", ".join(filter(None, (_shortage_text(loss, answer.names), f"cash {signed(loss.cash)} {answer.currency}")))
    tone = doc.Tone.BAD if loss.short else doc.Tone.PLAIN
    note = f"{count(len(loss.short), 'material')} short" if loss.short else ""
    proved_tone = tone if loss.rise.proved else doc.Tone.DOUBTFUL
    return charts.Rung(_loss_label(loss), loss.cash, label, proved_tone, note=note)


def _loss_label(loss: LossResult) -> str:
    return f"{'catalog ' if loss.loss.by == ('catalog',) else ''}{loss.loss.shown}"


def _shortage_text(loss: LossResult, names: ShownNames) -> str:
    return f"additional shortage: {', '.join(shortage_texts(loss.short, names))}" if loss.short else ""


def _table(losses: Sequence[LossResult], answer: Stress, pairs: bool, shown: int) -> doc.DataTable:
    columns = [
        doc.Column("Without"),
        *([] if pairs else [doc.Column("Kind", from_width=doc.NARROW)]),
        doc.Column("Additional shortage", from_width=doc.SPARE),
        doc.figures("Cash", answer.currency),
        doc.figures("Penalty", from_width=doc.NARROW),
        *([replace(doc.figures("Beyond both alone, penalty included"), on="whole")] if pairs else []),
    ]
    rows = [_row(loss, answer.names, pairs) for loss in losses]
    if pairs:
        return ranked(columns, rows, "more pair", part=2, top=shown)
    return ranked(columns, rows, "more loss that costs less", "more losses that cost less", part=6, top=shown)


def penalty_of(loss: LossResult) -> doc.Cell:
    return doc.NOTHING if loss.conflict else penalty(loss.shortage + loss.penalties)


def costs_nothing(loss: LossResult) -> bool:
    return loss.rise.proved and not loss.short and abs(loss.rise.value) < 1


def interact(loss: LossResult) -> bool:
    """Return True if the cost of losing two countries together isn't the sum of both, because each can replace the other."""
    return loss.beyond_sum is None or not loss.rise.proved or abs(loss.beyond_sum) >= 1


def _row(loss: LossResult, names: ShownNames, pairs: bool) -> list[doc.Cell]:
    tied = " ~" if loss.tied else ""
    name, label, doubt_mark = (
        loss.loss.shown + tied,
        _loss_label(loss) + tied,
        "" if loss.conflict or loss.rise.proved else " ?",
    )
    first_cells: list[doc.Cell] = [doc.Either(name, _cut_if_long(label + doubt_mark))]
    first_cells += [] if pairs else [doc.Either(loss.loss.shown_kinds, " and ".join(loss.loss.by))]
    beyond = [doc.NOTHING if loss.beyond_sum is None else penalty(loss.beyond_sum)] if pairs else []
    if loss.conflict:
        rules = f"rules conflict: {', '.join(loss.conflict)}"
        conflict = doc.Either(rules, doc.Several(("rules conflict", *loss.conflict)))
        return [*first_cells, conflict, doc.NOTHING, doc.NOTHING, *beyond]
    short = _material_list(shortage_texts(loss.short, names), MATERIALS_SHOWN)
    return [*first_cells, short, cash(loss.cash, signed=True), penalty_of(loss), *beyond]


def _cut_if_long(name: str) -> doc.Cell:
    return name if len(name) <= _LONG else doc.Several((name,))


def _material_list(names: Sequence[str], max_names: int = 0) -> doc.Cell:
    return doc.Several(tuple(names), one="material", named=max_names) if names else doc.NOTHING


KIND_NOUNS = {"supplier": "supplier", "parent": "parent company", "country": "country", "catalog": "catalog"}


def insurance_document(insurance: Insurance, shown: int = SHOWN) -> doc.Document:
    return doc.document("Cost of surviving any loss", *insurance_parts(insurance, shown))


def insurance_parts(insurance: Insurance, shown: int = SHOWN) -> Iterator[doc.Element | None]:
    title = f"Insurance against the loss of any one {KIND_NOUNS[insurance.by]} from {insurance.start} on"
    yield doc.for_whole(doc.section(title, doc.sentence(_premium_text(insurance))))
    yield _insured_losses(insurance, shown)
    yield from map(doc.for_whole, _changes(insurance, shown))
    yield _stock(insurance, shown)
    yield doc.for_whole(effort(insurance.effort))


def _premium_text(insurance: Insurance) -> str:
    unmet_rows = [row for row in insurance.losses if not row.met]
    exception_text = (
        f", except for the {count(len(unmet_rows), 'loss', 'losses')} below that no plan insures in full"
        if unmet_rows
        else ""
    )
    return (
        f"To keep any one loss from increasing a shortage{exception_text}, the plan costs {premium_price(insurance)} if no loss occurs. "
        "The loss isn't known in advance, so earlier orders, stock, and onboarding are the same for all losses."
    )


def premium_price(insurance: Insurance) -> str:
    if not insurance.premium.proved:
        return f"{insurance.currency} {rise(insurance.premium)} more (present value)"
    if abs(insurance.premium.value) < CENT:
        return "nothing more"
    return f"{large_money(insurance.premium.value, insurance.currency)} more (present value)"


def _insured_losses(insurance: Insurance, shown: int) -> doc.Section:
    short_rows = [row for row in insurance.losses if row.exposed or not row.met]
    has_unmet = any(not row.met for row in short_rows)
    harmless_count, other_word = len(insurance.losses) - len(short_rows), "other " if short_rows else ""
    harmless_text = f"{count(harmless_count, f'{other_word}loss causes', f'{other_word}losses cause')} no additional shortage, with or without insurance"
    columns = [
        doc.Column("If lost"),
        doc.Column("Additional shortage, current plan", on="whole"),
        doc.Column("Insured", on="whole"),
        doc.Column("Additional shortage", from_width=doc.SPARE, on="screen"),
        doc.Column("Spend and penalty after it", "", "right", from_width=doc.NARROW, on="screen"),
        doc.Column("Spend and penalty after it", insurance.currency, "right", whole=True, on="whole"),
    ]
    rows = [
        doc.DataRow(
            (
                doc.Either(row.loss.shown, _cut_if_long(row.loss.shown)),
                ", ".join(shortage_texts(row.exposed, insurance.names)) or doc.NOTHING,
                _outcome(row, insurance.names),
                _material_list(shortage_texts(row.unmet, insurance.names)) if row.unmet else row.reason or doc.NOTHING,
                *(rise_of(row), rise_of(row)),
            ),
            on="whole" if row.met else None,
        )
        for row in short_rows
    ]
    premium = (
        f"To keep the loss of any one {KIND_NOUNS[insurance.by]} from {insurance.start} on from increasing a shortage, the plan costs {premium_price(insurance)} "
        f"if no loss occurs{'. No plan insures it in full against some losses' if has_unmet else ''}."
    )
    table = ranked(columns, rows, "more loss", "more losses", part=2, top=shown) if rows else None
    return doc.section(
        "Shortage after each loss",
        doc.for_screen(doc.sentence(premium)),
        table if has_unmet else doc.for_whole(table),
        doc.for_whole(doc.notes([harmless_text] if harmless_count else [])),
        column="Not fully insured",
    )


def shortage_texts(shortfalls: Sequence[Shortfall], names: ShownNames) -> list[str]:
    sorted_shortfalls = sorted(shortfalls, key=lambda each: (-each.kilograms, each.material))
    return [
        f"{names.material(each.material)} {mass_of(names, each.material, each.kilograms)}" for each in sorted_shortfalls
    ]


def _outcome(row: InsuredLoss, names: ShownNames) -> str:
    if row.met:
        return "no additional shortage"
    return row.reason + (f": {', '.join(shortage_texts(row.unmet, names))}" if row.unmet else "")


def rise_of(row: InsuredLoss) -> doc.Cell:
    return doc.NOTHING if row.costs is None else penalty(row.costs)


def _changes(insurance: Insurance, shown: int) -> list[doc.Section]:
    title = "Changes of the insured plan before the loss"
    if not insurance.ordered and not insurance.ready and not insurance.onboarded:
        return [doc.section(title, doc.sentence("None. The current plan is already insured."))]
    shown_orders = insurance.ordered[: shown or None]
    rows = [
        [
            insurance.names.offer_with_id(row.offer) + (" (new)" if row.new else ""),
            mass_or_nothing(row.kilograms),
            mass_or_nothing(row.today),
        ]
        for row in shown_orders
    ]
    note_texts = omitted_note(len(insurance.ordered) - len(shown_orders), "more offer")
    note_texts += [
        f"{insurance.names.offer_with_id(offer.offer)} is onboarded for {insurance.currency} {money(offer.cost)}, and used only after a loss"
        for offer in insurance.onboarded
    ]
    insured_column, current_column = doc.figures("Insured"), doc.figures("Current")
    orders_table = doc.table([doc.Column("Ordered from"), insured_column, current_column], rows) if rows else None
    sections = [doc.section(title, orders_table, doc.notes(note_texts))]
    if insurance.ready:
        stock_rows: list[list[doc.Cell]] = [
            [
                insurance.names.material(row.material),
                *(
                    weighed(insurance.names, row.material, kg) if kg else doc.NOTHING
                    for kg in (row.kilograms, row.today)
                ),
            ]
            for row in insurance.ready
        ]
        sections.append(
            doc.apart(
                doc.table(
                    [doc.Column("In stock or on order when the loss occurs"), insured_column, current_column],
                    stock_rows,
                )
            )
        )
    return sections


def _stock(insurance: Insurance, shown: int) -> doc.Section | None:
    if not insurance.stock:
        return None
    columns = [
        doc.Column("Material"),
        doc.figures("Quantity"),
        doc.figures("Holding a year", insurance.currency, from_width=doc.NARROW),
        doc.Column("Covers the loss of", from_width=doc.NARROW),
        doc.Column("Proved", on="whole"),
    ]
    names = insurance.names
    rows: list[list[doc.Cell]] = [
        [
            doc.Either(names.material(row.material), names.material(row.material) + ("" if row.proved else " ?")),
            weighed(names, row.material, row.kilograms),
            doc.NOTHING if row.holding is None else cash(row.holding),
            doc.Either(row.loss, _cut_if_long(row.loss)),
            "yes" if row.proved else "no, some loss still causes a shortage",
        ]
        for row in sorted(insurance.stock, key=lambda row: (-(row.holding or 0), row.material))
    ]
    return doc.section(
        "Stock that would replace the insurance, with the current plan",
        ranked(columns, rows, "more material", top=shown),
        doc.for_whole(doc.notes(["lawful stock on hand when the loss occurs. The cost of buying it isn't included"])),
        column="Stock that would replace the insurance",
    )


@dataclass(frozen=True, slots=True)
class StressAnswer:
    """The cost of losses, and insurance against any one of them."""

    losses: Stress
    insurance: Insurance | None
    left_out: str = ""
