"""Repairs as a document, and as scenarios of a case file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass, number, percent, rounded_money, signed
from friendshore.domain.base import grouped
from friendshore.domain.shown_names import ShownNames
from friendshore.explain.results import Difference
from friendshore.questions.wording import effort, mass_of, penalty, rise
from friendshore.reading.tomlfile import toml_text

from .levers import LeverKind
from .search import Gap, LeverUse, Repair, Repairs

SHOWN = 10
"""Default maximum number of repairs per gap."""


def repairs_document(found: Repairs, shown: int = SHOWN) -> doc.Document:
    """Return every gap with its repairs, gaps with the largest savings first.

    The whole document has the first `shown` repairs of each gap (0: all). On a screen of several gaps, each has a sentence on its cheapest repair.
    """
    title = "What would serve what is short"
    if not found.gaps:
        return doc.document(title, doc.sentence("Nothing is short, and no rules conflict: there is nothing to repair."))
    by_gap = grouped((repair.gap, repair) for repair in found.repairs)
    gaps = [(gap, by_gap.get(place, [])) for place, gap in enumerate(found.gaps, 1)]
    gaps.sort(key=lambda each: (not each[1], _worth(each[1])))
    able = sum(1 for gap, some in gaps if some or gap.dearer)
    head = (
        "A repair is a set of steps that together, and with none of them left out, serve in full what is short, while nobody "
        "else is short of more. Amounts are the least that will do. Cheapest first."
    )
    brief = (
        f"{able} of {count(len(gaps), 'shortage')} can be served in full. A repair serves in full what is short, while nobody else is short of more; "
        "what its steps themselves take (a plant's expansion, a stock's price) is in no figure."
    )
    notes = [
        "cash: what the plan then spends more, or less; penalty: by how much the penalties for shortage and missed limits rise, or fall, which are not paid",
        "ranked by present value, penalties included",
        "what a step itself takes (a plant's expansion, a stock's price, a waiver) is not in any figure",
    ]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), ": every repair, and what is to be proved, waived or asked; "),
        *(doc.Phrase("--toml", code=True), ": as scenarios"),
    )
    whole = (doc.sentence(head), doc.section("To know", doc.notes(notes)), effort(found.effort))
    if len(gaps) == 1:
        return doc.document(
            title, whole[0], doc.section(_gap_title(gaps[0][0], found.names), *_gap(*gaps[0], found, shown)), *whole[1:]
        )
    sections = (
        doc.section(
            _gap_title(gap, found.names),
            *(doc.for_whole(part) for part in _gap(gap, some, found, shown)),
            doc.for_screen(doc.notes(_cheapest(gap, some, found))),
        )
        for gap, some in gaps
    )
    return doc.document(
        title,
        doc.for_whole(whole[0]),
        doc.for_screen(doc.sentence(brief)),
        *sections,
        *map(doc.for_whole, whole[1:]),
        doc.for_screen(doc.apart(commands)),
    )


def _gap(
    gap: Gap, repairs: Sequence[Repair], found: Repairs, shown: int
) -> tuple[doc.Notes | None, doc.DataTable | None, doc.Notes | None]:
    """Return the rules of a conflict, the table of repairs, and notes on them."""
    kept = repairs[: shown or None]
    columns = [doc.figures("#"), doc.Column("What it takes, together"), doc.figures("Cash", found.currency)]
    columns += [doc.figures("Penalty"), doc.Column("Then short")]
    body = doc.table(columns, [_row(repair, gap, found.names) for repair in kept]) if kept else None
    return doc.notes(_rules(gap)), body, doc.notes([*_about(kept), *_gap_notes(gap, len(repairs), len(kept))])


def _rules(gap: Gap) -> list[str]:
    return [f"{name}: {text}" for name, text in zip(gap.rules, gap.sentences, strict=True)]


def _gap_title(gap: Gap, names: ShownNames) -> str:
    """Return the title of a gap: the shortage with its periods and demands, or a conflict of rules."""
    who = ", ".join(gap.demands)
    when = gap.first if gap.first == gap.last else f"{gap.first} to {gap.last}"
    if gap.rules:
        return f"Rules that cannot hold together{f', for {who}' if who else ''}"
    short = mass_of(names, gap.material, gap.short, equal=True)
    name = names.material(gap.material)
    named = name if gap.material in name else f"{name} ({gap.material})"
    return f"{named}: short of {short} in {when}, for {who}"


def _about(repairs: Sequence[Repair]) -> list[str]:
    """Return the notes on the named proofs, waivers, and leads without duplicates."""
    kinds = (LeverKind.PROOF, LeverKind.WAIVER, LeverKind.LICENCE, LeverKind.LEAD)
    uses = [use for kind in kinds for repair in repairs for use in repair.uses if use.kind is kind and use.note]
    by_note: dict[str, dict[str, None]] = {}
    for use in uses:
        by_note.setdefault(use.note, {})[use.name] = None
    return [f"{', '.join(names)}: {note}" for note, names in by_note.items()]


def _gap_notes(gap: Gap, repairs: int, kept: int) -> Sequence[str]:
    """Return the notes on a gap, from the numbers of its repairs and of the shown ones."""
    told = []
    if gap.dearer:
        served = (
            f" (the objective then rises by {_rounded(gap.served)}, penalties included)"
            if gap.served is not None
            else ""
        )
        told.append(
            f"nothing has to be relaxed: it can be served in full{served}; the plan does so if its shortage_price is high enough, or if "
            "its shortage is ranked first ([[objective]])"
        )
    elif not repairs and gap.left is not None:
        told.append(f"no repair: with all of {_tried(gap)} it is short of {mass(gap.left)} still")
    elif not repairs and gap.complete:
        many = f"of up to {count(gap.size, 'step')} (--size)" if gap.left is None else ""
        told.append(f"no repair {many} among {_tried(gap)}")
    if gap.rules and repairs:
        told.append(
            "money is told against the plan without these demands: as long as rules conflict they are not planned"
        )
    if kept < repairs:
        told.append(
            f"{count(repairs - kept, 'more repair')} that {'costs' if repairs - kept == 1 else 'cost'} more: --top 0"
        )
    if not gap.complete:
        told.append(_ended(gap))
    elif repairs:
        told.append(f"these are all of up to {count(gap.size, 'step')} (--size) among {_tried(gap)}")
    return told


def _ended(gap: Gap) -> str:
    """Return the limits of a search that ended early: the completed sizes, and a warning that there may be more repairs."""
    through = gap.searched
    whole = f"all of up to {count(through, 'step')} are known; " if through >= 0 else ""
    of = f"of up to {count(gap.size, 'step')} among {_tried(gap)}"
    by = "time is up, or it was stopped" if gap.stopped else "--trials"
    return f"the search ended after {count(gap.tried, 'trial')} ({by}): {whole}there may be more repairs {of}"


_TRIED = {
    LeverKind.LATER: ("later demand", "later demands"),
    LeverKind.WAIVER: ("waiver", ""),
    LeverKind.LOOSEN: ("limit", ""),
    LeverKind.LICENCE: ("licence", ""),
    LeverKind.PROOF: ("proof", ""),
    LeverKind.TERM: ("term of trade", "terms of trade"),
    LeverKind.STOCK: ("stock", ""),
    LeverKind.PLANNED: ("plant not yet running", "plants not yet running"),
    LeverKind.EARLIER: ("start of a plant", "starts of plants"),
    LeverKind.CAPACITY: ("capacity", "capacities"),
    LeverKind.LEAD: ("lead", ""),
}


def _tried(gap: Gap) -> str:
    told = []
    for kind, (one, many) in _TRIED.items():
        levers = [use for use in gap.levers if use.kind is kind]
        if levers:
            told.append(f"{count(len(levers), one, many)}{_bound(kind, levers)}")
    return ", ".join(told) or "no steps: nothing upstream could be relaxed"


def _bound(kind: LeverKind, levers: Sequence[LeverUse]) -> str:
    most = max((use.most for use in levers if use.most is not None), default=None)
    if most is None:
        return ""
    if kind in (LeverKind.LATER, LeverKind.EARLIER):
        return f" (by up to {number(most)} months)"
    if kind is LeverKind.CAPACITY:
        shares = [use.most / use.today for use in levers if use.most is not None and use.today]
        shares += [use.most for use in levers if use.most is not None and not use.unit]
        return f" (by up to {percent(max(shares))} more)" if shares else ""
    if kind is LeverKind.LOOSEN:
        return f" (by up to {number(most)} of its unit)"
    return f" (up to {mass(most)}{' a year' if kind is LeverKind.LEAD else ''})"


def _rounded(found: Difference) -> str:
    """Return a difference that includes penalties, rounded if proved."""
    return rounded_money(found.value, "").strip() if found.proved else rise(found)


def _row(repair: Repair, gap: Gap, names: ShownNames) -> list[doc.Cell]:
    rank = doc.Count(repair.rank)
    told = "; ".join(steps_told(repair.uses, names)) + ("" if repair.least else " (not shown to be the least)")
    if repair.left is None:
        return [rank, told, doc.NOTHING, doc.NOTHING, "not planned in time, so not proved"]
    spends = cash_of(repair)
    fine = penalty(repair.penalty or Decimal(0))
    then = []
    if repair.left and not repair.rounded:
        served = f" (objective {_rounded(repair.served)}, penalties included)" if repair.served is not None else ""
        then.append(f"{mass_of(names, gap.material, repair.left)}: cheaper than to be served{served}")
    then += [
        f"others of {mass_of(names, name, abs(kg))} of {names.material(name)} {'more' if kg > 0 else 'less'}"
        for name, kg in repair.others.items()
    ]
    return [rank, told, spends, fine, "; ".join(then) or "of nothing"]


def cash_of(repair: Repair) -> doc.Cell:
    """Return the cash that a repair adds, with a question mark if its plan is not proved the cheapest."""
    if repair.cash is None or abs(repair.cash) < 1:
        return doc.NOTHING
    amount = signed(repair.cash)
    return amount if repair.cost is None or repair.cost.proved else f"{amount} ?"


def steps_told(uses: Sequence[LeverUse], names: ShownNames) -> Iterator[str]:
    """Yield every step. Demands with the same delay share one."""
    for (kind, _), some in groupby(uses, key=lambda use: (use.kind, use.amount)):
        told = list(some)
        if kind is LeverKind.LATER:
            demands = [use.subject for use in told]
            yield f"{' and '.join(demands)} wanted {count(int(told[0].amount or 0), 'month')} later"
        else:
            yield from (step(use, names) for use in told)


def step(use: LeverUse, names: ShownNames) -> str:
    """Return a lever with its amount, in words. For delayed demands, see `steps_told`."""
    amount = use.amount or Decimal(0)
    match use.kind:
        case LeverKind.WAIVER:
            since = f"from {use.since} " if use.since else ""
            return f"waiver of {use.subject} for {mass(amount)} of {use.of} {since}until {use.until}"
        case LeverKind.LOOSEN:
            share = ""
            if use.to is not None and use.today is not None:
                share = f", to {percent(use.to)} in the place of {percent(use.today)}"
            return f"{use.subject} is relaxed by {number(amount)}{share} ({use.name.rstrip('.')})"
        case LeverKind.LICENCE:
            return f"licence under {use.subject} to export from {use.of}"
        case LeverKind.PROOF:
            return f"proof of origin for {names.offer_with_id(use.subject)}"
        case LeverKind.TERM:
            return f"no {use.subject} asked by {use.of}"
        case LeverKind.STOCK:
            return f"{mass_of(names, use.subject, amount)} of {names.material(use.subject)} in stock, all of {use.of} origin"
        case LeverKind.PLANNED:
            return f"{use.name} runs in full from its stated date on ({use.note} today)"
        case LeverKind.EARLIER:
            return f"{use.name} starts {number(amount)} months earlier than {use.note}"
        case LeverKind.LEAD:
            return f"{use.name} makes {mass(amount)} a year (a lead)"
    if use.today is None:
        return f"{use.name} makes {percent(amount)} more"
    return f"{use.name} makes {mass(use.to or amount)} a year instead of {mass(use.today)}"


_NO_NAME = re.compile(r"[^\w.+-]")
"""Characters that the name of a scenario can't contain."""


def repairs_toml(found: Repairs) -> str:
    """Return every repair as a scenario of a case file."""
    scenarios = [
        {"name": _scenario(found, repair), "change": [change.as_written(found.currency) for change in repair.changes]}
        for repair in found.repairs
    ]
    return toml_text({"scenario": scenarios}) if scenarios else ""


def _scenario(found: Repairs, repair: Repair) -> str:
    """Return a valid scenario name for any material."""
    material = found.gaps[repair.gap - 1].material
    plain = _NO_NAME.sub("-", material)
    about = (plain if plain == material else f"{plain}-{repair.gap}") if material else f"conflict-{repair.gap}"
    return f"repair-{about}-{repair.rank}"


def _worth(repairs: Sequence[Repair]) -> Decimal:
    return min((repair.cost.value for repair in repairs if repair.cost is not None), default=Decimal(0))


def _cheapest(gap: Gap, repairs: Sequence[Repair], found: Repairs) -> Iterator[str]:
    """Yield the cheapest repair and the cheapest with the fewest steps, or the reason why there is none."""
    if gap.rules:
        yield ", ".join(gap.rules)
    if gap.dearer or not repairs:
        yield from _gap_notes(gap, len(repairs), len(repairs))
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
    """Return the steps and the plan's additional cash."""
    steps = "; ".join(steps_told(repair.uses, found.names)) + ("" if repair.least else " (not shown to be the least)")
    if repair.left is None:
        return f"{steps}: {', '.join(['not planned in time, so not proved', *told])}"
    cash = repair.cash
    much = "no more cash" if cash is None or abs(cash) < 1 else _spends(cash, found.currency)
    doubt = [] if repair.cost is None or repair.cost.proved else ["not proved the cheapest"]
    return f"{steps}: {', '.join([much, *doubt, *told, *_left(repair, gap, found)])}"


def _left(repair: Repair, gap: Gap, found: Repairs) -> Iterator[str]:
    """Yield the shortage that a plan leaves after the repair, because that costs less, penalties included."""
    if repair.left and not repair.rounded:
        yield f"{mass_of(found.names, gap.material, repair.left)} stay short, since serving them costs more than their penalty"


def _spends(cash: Decimal, currency: str) -> str:
    return f"{large_money(abs(cash), currency)} {'more' if cash > 0 else 'less'} cash"
