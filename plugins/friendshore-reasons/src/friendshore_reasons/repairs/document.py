"""Repairs as a document, and as scenarios of a case file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from friendshore.document import elements as doc
from friendshore.document.figures import (
    count,
    large_money,
    mass,
    number,
    percent,
    relaxation_texts,
    rounded_money,
    signed,
)
from friendshore.domain.base import grouped
from friendshore.domain.countries import country_in_text
from friendshore.domain.shown_names import ShownNames
from friendshore.explain.results import Difference
from friendshore.questions.wording import effort, mass_of, penalty, rise
from friendshore.reading.tomlfile import toml_text

from .levers import LeverKind
from .search import Gap, LeverUse, Repair, Repairs

SHOWN = 10
"""Default maximum number of repairs per gap."""


def repairs_document(result: Repairs, shown: int = SHOWN) -> doc.Document:
    """Return every gap with its first `shown` repairs (0 means all), gaps with the largest savings first. A screen of several gaps has a sentence on each."""
    title = "Repairs"
    if not result.gaps:
        return doc.document(
            title, doc.sentence("There is nothing to repair: no demand is short, and no rules conflict.")
        )
    by_gap = grouped((repair.gap, repair) for repair in result.repairs)
    gaps = [(gap, by_gap.get(position, [])) for position, gap in enumerate(result.gaps, 1)]
    gaps.sort(key=lambda entry: (not entry[1], _lowest_cost(entry[1])))
    served_count = sum(1 for gap, gap_repairs in gaps if gap_repairs or gap.costs_more_than_shortage)
    intro = (
        "A repair is a minimal set of steps that serves a shortage in full, without adding to any other shortage. "
        "Amounts are the smallest that suffice. The cheapest repair comes first."
    )
    screen_intro = (
        f"{served_count} of {count(len(gaps), 'shortage')} can be served in full. A repair does so without adding to any other shortage. "
        "No figure includes the cost of the steps themselves (a plant's expansion, a stock's price)."
    )
    notes = [
        "cash: additional spend of the plan; penalty: change in the penalties for shortage and missed limits, which are not paid",
        "ranked by present value, penalties included",
        "no figure includes the cost of the steps themselves (a plant's expansion, a stock's price, a waiver)",
    ]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), ": every repair, with the proofs, waivers, and questions that it needs; "),
        *(doc.Phrase("--toml", code=True), ": as scenarios"),
    )
    whole = (doc.sentence(intro), doc.section("Notes", doc.notes(notes)), effort(result.effort))
    if len(gaps) == 1:
        return doc.document(
            title,
            doc.answer(_answer(*gaps[0], result)),
            whole[0],
            doc.section(_gap_title(gaps[0][0], result.names), *_gap(*gaps[0], result, shown)),
            *whole[1:],
        )
    sections = (
        doc.section(
            _gap_title(gap, result.names),
            *(doc.for_whole(part) for part in _gap(gap, gap_repairs, result, shown)),
            doc.for_screen(doc.notes(_summary(gap, gap_repairs, result))),
        )
        for gap, gap_repairs in gaps
    )
    return doc.document(
        title,
        doc.for_whole(whole[0]),
        doc.for_screen(doc.answer(screen_intro)),
        *sections,
        *map(doc.for_whole, whole[1:]),
        doc.for_screen(doc.apart(commands)),
    )


def _answer(gap: Gap, repairs: Sequence[Repair], result: Repairs) -> str:
    what = "the conflict" if gap.rules else "the shortage"
    if not repairs:
        return f"No repair of {what} was found."
    found = f"{count(len(repairs), 'repair resolves', 'repairs resolve')} {what}{'' if gap.complete else ' so far'}"
    return f"{found}. The cheapest: {_repair_text(repairs[0], gap, result, ())}."


def _gap(
    gap: Gap, repairs: Sequence[Repair], result: Repairs, shown: int
) -> tuple[doc.Notes | None, doc.DataTable | None, doc.Notes | None]:
    visible = repairs[: shown or None]
    columns = [doc.figures("#"), doc.Column("Steps"), doc.figures("Cash", result.currency)]
    columns += [doc.figures("Penalty"), doc.Column("Short afterwards")]
    body = doc.table(columns, [_row(repair, gap, result.names) for repair in visible]) if visible else None
    return (
        doc.notes(_rules(gap)),
        body,
        doc.notes([*_lever_notes(visible), *_gap_notes(gap, len(repairs), len(visible))]),
    )


def _rules(gap: Gap) -> list[str]:
    return [f"{name}: {text}" for name, text in zip(gap.rules, gap.sentences, strict=True)]


def _gap_title(gap: Gap, names: ShownNames) -> str:
    demands = ", ".join(gap.demands)
    periods = gap.first if gap.first == gap.last else f"{gap.first} to {gap.last}"
    if gap.rules:
        return f"Conflicting rules{f', for {demands}' if demands else ''}"
    short = mass_of(names, gap.material, gap.short_kg, equal=True)
    name = names.material(gap.material)
    title = name if gap.material in name else f"{name} ({gap.material})"
    return f"{title}: short of {short} in {periods}, for {demands}"


def _lever_notes(repairs: Sequence[Repair]) -> list[str]:
    kinds = (LeverKind.PROOF, LeverKind.WAIVER, LeverKind.LICENSE, LeverKind.LEAD)
    noted_uses = [use for kind in kinds for repair in repairs for use in repair.uses if use.kind is kind and use.note]
    by_note: dict[str, dict[str, None]] = {}
    for use in noted_uses:
        by_note.setdefault(use.note, {})[use.name] = None
    return [f"{', '.join(names)}: {note}" for note, names in by_note.items()]


def _gap_notes(gap: Gap, repair_count: int, shown_count: int) -> Sequence[str]:
    notes = []
    if gap.costs_more_than_shortage:
        served = (
            f" (the objective rises by {_rounded(gap.cost_to_serve)}, penalties included)"
            if gap.cost_to_serve is not None
            else ""
        )
        notes.append(
            f"no repair needed: it can be served in full{served}. To plan that, raise `shortage_price`, or rank this "
            "shortage first under [[objective]]"
        )
    elif not repair_count and gap.remaining_kg is not None:
        notes.append(f"no repair: with all of {_tried_levers(gap)}, it is still short of {mass(gap.remaining_kg)}")
    elif not repair_count and gap.complete:
        size = f"of up to {count(gap.size, 'step')} (--size)" if gap.remaining_kg is None else ""
        notes.append(f"no repair {size} among {_tried_levers(gap)}")
    if gap.rules and repair_count:
        notes.append(
            "money is compared with the plan without these demands, since they are not planned while rules conflict"
        )
    if shown_count < repair_count:
        notes.append(f"{count(repair_count - shown_count, 'more expensive repair')} (--top 0)")
    if not gap.complete:
        notes.append(_early_end_note(gap))
    elif repair_count:
        notes.append(f"complete: all repairs of up to {count(gap.size, 'step')} (--size) among {_tried_levers(gap)}")
    return notes


def _early_end_note(gap: Gap) -> str:
    searched_size = gap.searched
    known_sizes = f"all repairs of up to {count(searched_size, 'step')} are known; " if searched_size >= 0 else ""
    scope = f"of up to {count(gap.size, 'step')} among {_tried_levers(gap)}"
    reason = "time limit or canceled" if gap.stopped else "--trials"
    return (
        f"the search ended after {count(gap.tried, 'trial')} ({reason}): {known_sizes}there may be more repairs {scope}"
    )


_TRIED = {
    LeverKind.LATER: ("delayed demand", "delayed demands"),
    LeverKind.WAIVER: ("waiver", ""),
    LeverKind.LOOSEN: ("limit", ""),
    LeverKind.LICENSE: ("license", ""),
    LeverKind.PROOF: ("proof", ""),
    LeverKind.TERM: ("term of trade", "terms of trade"),
    LeverKind.STOCK: ("stock", ""),
    LeverKind.PLANNED: ("plant not yet running", "plants not yet running"),
    LeverKind.EARLIER: ("start of a plant", "starts of plants"),
    LeverKind.CAPACITY: ("capacity", "capacities"),
    LeverKind.LEAD: ("lead", ""),
}


def _tried_levers(gap: Gap) -> str:
    phrases = []
    for kind, (singular, plural) in _TRIED.items():
        levers = [use for use in gap.levers if use.kind is kind]
        if levers:
            phrases.append(f"{count(len(levers), singular, plural)}{_bound_text(kind, levers)}")
    return ", ".join(phrases) or "no steps, since nothing upstream can be relaxed"


def _bound_text(kind: LeverKind, levers: Sequence[LeverUse]) -> str:
    maximum = max((use.max for use in levers if use.max is not None), default=None)
    if maximum is None:
        return ""
    if kind in (LeverKind.LATER, LeverKind.EARLIER):
        return f" (by up to {number(maximum)} months)"
    if kind is LeverKind.CAPACITY:
        shares = [use.max / use.today for use in levers if use.max is not None and use.today]
        shares += [use.max for use in levers if use.max is not None and not use.unit]
        return f" (by up to {percent(max(shares))} more)" if shares else ""
    if kind is LeverKind.LOOSEN:
        return ""  # limits of several units have no common bound
    return f" (up to {mass(maximum)}{' a year' if kind is LeverKind.LEAD else ''})"


def _rounded(change: Difference) -> str:
    return rounded_money(change.value, "").strip() if change.proved else rise(change)


def _row(repair: Repair, gap: Gap, names: ShownNames) -> list[doc.Cell]:
    rank = doc.Count(repair.rank)
    steps = "; ".join(step_texts(repair.uses, names)) + ("" if repair.minimal else " (amounts may not be minimal)")
    if repair.remaining_kg is None:
        return [rank, steps, doc.NOTHING, doc.NOTHING, "not planned in time, so unproved"]
    spends = cash_of(repair)
    penalties = penalty(repair.penalty or Decimal(0))
    shortages = []
    if repair.remaining_kg and not repair.rounded:
        served = (
            f" (the objective rises by {_rounded(repair.cost_to_serve)}, penalties included)"
            if repair.cost_to_serve is not None
            else ""
        )
        shortages.append(f"{mass_of(names, gap.material, repair.remaining_kg)}: cheaper than serving it{served}")
    shortages += [
        f"other demands: {mass_of(names, name, abs(kg))} of {names.material(name)} {'more' if kg > 0 else 'less'}"
        for name, kg in repair.others_short_kg.items()
    ]
    return [rank, steps, spends, penalties, "; ".join(shortages) or "nothing"]


def cash_of(repair: Repair) -> doc.Cell:
    """Return the cash that a repair adds, with a question mark if its plan is not proved the cheapest."""
    if repair.cash is None or abs(repair.cash) < 1:
        return doc.NOTHING
    amount = signed(repair.cash)
    return amount if repair.cost is None or repair.cost.proved else f"{amount} ?"


def step_texts(uses: Sequence[LeverUse], names: ShownNames) -> Iterator[str]:
    for (kind, _), uses_alike in groupby(uses, key=lambda use: (use.kind, use.amount)):
        uses_of_kind = list(uses_alike)
        if kind is LeverKind.LATER:
            demands = [use.subject for use in uses_of_kind]
            yield f"{' and '.join(demands)} delayed by {count(int(uses_of_kind[0].amount or 0), 'month')}"
        else:
            yield from (step(use, names) for use in uses_of_kind)


def step(use: LeverUse, names: ShownNames) -> str:
    amount = use.amount or Decimal(0)
    match use.kind:
        case LeverKind.WAIVER:
            since = f"from {use.since} " if use.since else ""
            return f"waiver of {names.rule(use.subject)} for {mass(amount)} of {use.of} {since}until {use.until}"
        case LeverKind.LOOSEN:
            return _limit_step(use)
        case LeverKind.LICENSE:
            return f"export license under {names.rule(use.subject)} from {country_in_text(use.of)}"
        case LeverKind.PROOF:
            return f"proof of origin for {names.offer_with_id(use.subject)}"
        case LeverKind.TERM:
            return f"no {use.subject} at {use.of}"
        case LeverKind.STOCK:
            return f"{mass_of(names, use.subject, amount)} of {names.material(use.subject)} in stock, all made in {country_in_text(use.of)}"
        case LeverKind.PLANNED:
            return f"{use.name} runs in full from its stated date ({use.note} today)"
        case LeverKind.EARLIER:
            return f"{use.name} starts {number(amount)} months earlier than {use.note}"
        case LeverKind.LEAD:
            return f"{use.name} makes {mass(amount)} a year (capacity unknown today)"
    if use.today is None:
        return f"{use.name} makes {percent(amount)} more"
    return f"{use.name} makes {mass(use.to or amount)} a year instead of {mass(use.today)}"


def _limit_step(use: LeverUse) -> str:
    if not use.relaxed:
        return f"{use.subject} is relaxed by {number(use.amount or Decimal(0))} ({use.name.rstrip('.')})"
    share = ""
    if use.to is not None and use.today is not None:
        share = f", from {percent(use.today)} to {percent(use.to)}"
    return " and ".join(relaxation_texts(use.relaxed)) + share


_NO_NAME = re.compile(r"[^\w.+-]")
"""Characters that the name of a scenario can't contain."""


def repairs_toml(result: Repairs) -> str:
    scenarios = [
        {"name": _scenario(result, repair), "change": [change.as_written(result.currency) for change in repair.changes]}
        for repair in result.repairs
    ]
    return toml_text({"scenario": scenarios}) if scenarios else ""


def _scenario(result: Repairs, repair: Repair) -> str:
    material = result.gaps[repair.gap - 1].material
    valid = _NO_NAME.sub("-", material)
    subject = (valid if valid == material else f"{valid}-{repair.gap}") if material else f"conflict-{repair.gap}"
    return f"repair-{subject}-{repair.rank}"


def _lowest_cost(repairs: Sequence[Repair]) -> Decimal:
    return min((repair.cost.value for repair in repairs if repair.cost is not None), default=Decimal(0))


def _summary(gap: Gap, repairs: Sequence[Repair], result: Repairs) -> Iterator[str]:
    if gap.rules:
        yield ", ".join(gap.rules)
    if gap.costs_more_than_shortage or not repairs:
        yield from _gap_notes(gap, len(repairs), len(repairs))
    if not repairs:
        return
    cheapest, *others = repairs
    remarks = [f"the cheapest of {len(repairs)}{'' if gap.complete else ' found so far'}"] if others else []
    yield _repair_text(cheapest, gap, result, remarks)
    fewest = min(repairs, key=lambda repair: (len(repair.uses), repair.rank))
    if len(fewest.uses) < len(cheapest.uses):
        yield _repair_text(fewest, gap, result, [f"the cheapest in {count(len(fewest.uses), 'step')}"])


def _repair_text(repair: Repair, gap: Gap, result: Repairs, remarks: Sequence[str]) -> str:
    steps = "; ".join(step_texts(repair.uses, result.names)) + (
        "" if repair.minimal else " (amounts may not be minimal)"
    )
    if repair.remaining_kg is None:
        return f"{steps}: {', '.join(['not planned in time, so unproved', *remarks])}"
    cash = repair.cash
    cash_text = "no more cash"
    if cash is not None and abs(cash) >= 1:
        cash_text = f"{large_money(abs(cash), result.currency)} {'more' if cash > 0 else 'less'} cash"
    doubts = [] if repair.cost is None or repair.cost.proved else ["not proved cheapest"]
    return f"{steps}: {', '.join([cash_text, *doubts, *remarks, *_remaining_shortage(repair, gap, result)])}"


def _remaining_shortage(repair: Repair, gap: Gap, result: Repairs) -> Iterator[str]:
    if repair.remaining_kg and not repair.rounded:
        yield f"{mass_of(result.names, gap.material, repair.remaining_kg)} stay short, because serving them costs more than the penalty"
