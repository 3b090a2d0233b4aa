"""A comparison as a document, and on a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ...document import elements as doc
from ...document.figures import count, large_money, percent, rounded_money, signed, written
from ...domain.plan import Cost
from ...domain.shown_names import ShownNames
from ..wording import effort, left_out, mass_of, not_proved, penalty, ranked, rise, weighed
from .comparison import Comparison, DependenceLine, MaterialLine, MixLine, Step

SHOWN = 12
"""Default number of rows shown of each table."""
SHORT = 2
"""Number of materials with shortages in the first sentence."""
MATERIALS = 6
"""Maximum number of materials in a sentence."""
LEAST = Decimal("0.05")
"""Kilograms below which a difference is due to rounding."""
LINES_OF_COST = (
    ("price", "list prices"),
    ("discounts", "price schedules"),
    ("charges", "duties and charges"),
    ("freight", "freight"),
    ("onboarding", "onboarding"),
    ("fixed", "fixed costs"),
    ("untaken", "paid, not taken"),
    ("holding", "holding stock"),
    ("total", "spent"),
)
"""Parts of the spend, and their sum, in words."""
_PENALTIES = (("shortage", "shortage"), ("penalties", "missed soft limits"))


def comparison_document(found: Comparison, shown: int = SHOWN) -> doc.Document:
    """Return both plans and their differences. The whole document shows the first `shown` rows of each table, or all for 0."""
    line = _dependence_line(found)
    return doc.document(
        "What differs",
        doc.sentence(f"A is {found.before}. B is {found.after}. {_difference(found)}"),
        *map(doc.for_screen, (doc.sentence(money) if (money := _money(found)) else None, _penalties(found))),
        doc.for_screen(doc.sentence(line)) if line else None,
        what_is_known(found),
        _conflicts(found),
        _short(found),
        doc.for_whole(_costs(found)),
        doc.for_whole(_dependence(found, shown)) if line else None,
        _mix(found, shown),
        *_steps(found, shown),
        _facts(found, shown),
        doc.for_screen(
            doc.apart(
                not_proved([found.difference, *(step.difference for step in found.steps)]),
                doc.sentence(doc.Phrase("--full", code=True), ": every table, and what each change moves"),
            )
        ),
        doc.for_whole(effort(found.effort)),
    )


def _difference(found: Comparison) -> str:
    """Return the differences of B from A in shortage and spend."""
    return f"B is {_shorter(found.materials, found.names)}, and spends {_more_cash(found)}."


def _shorter(materials: Sequence[MaterialLine], names: ShownNames) -> str:
    more = [(m.material, m.short_after_kg - m.short_before_kg) for m in materials]
    more = sorted((one for one in more if abs(one[1]) >= LEAST), key=lambda one: (-abs(one[1]), one[0]))
    if not more:
        return "short of nothing, as A" if not any(m.short_after_kg for m in materials) else "as short as A"
    told = [
        f"{mass_of(names, name, abs(kg))} {'more' if kg > 0 else 'less'} {names.material(name)}"
        for name, kg in more[:SHORT]
    ]
    rest = [count(len(more) - SHORT, "other material")] if len(more) > SHORT else []
    return f"short of {', '.join([*told, *rest])}"


def _more_cash(found: Comparison) -> str:
    cash = found.cost_after.nominal - found.cost_before.nominal
    value = found.cost_after.total - found.cost_before.total
    if not _felt(cash) and not _felt(value):
        return "as much cash as A"
    words = f"{large_money(abs(cash), found.currency)} {'more' if cash > 0 else 'less'} cash"
    if not _felt(cash):
        words = "as much cash, at other times"
    return words + (f" (present value {_signed_money(value, found.currency)})" if cash != value else "")


def _signed_money(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{large_money(amount, currency)}"


def _penalties(found: Comparison) -> doc.Sentence | None:
    """Return the rounded difference in penalties, in gray, and what is proved of the total if it isn't one number."""
    parts = [
        f"{'+' if amount > 0 else ''}{rounded_money(amount, found.currency)} for {what}"
        for name, what in _PENALTIES
        if _felt(amount := getattr(found.cost_after, name) - getattr(found.cost_before, name))
    ]
    told = [f"Penalties, which are not paid, B less A: about {' and '.join(parts)} (present value)."] if parts else []
    if not found.difference.proved:
        told.append(f"Not proved: spend and penalties together differ by {rise(found.difference)} (present value).")
    return doc.sentence(" ".join(told), tone=doc.Tone.ASIDE) if told else None


def what_is_known(found: Comparison) -> doc.Notes | None:
    """Return a note if the plans know later changes from the start, or keep orders before a date."""
    if found.decided_before is not None:
        kept = f"what the case's own plan orders before {found.decided_before} stays as it is, in A and in B"
        return doc.notes([kept])
    if found.foreseen is None:
        return None
    known = (
        f"the plans know of the change of {found.foreseen} from their first day on, and may buy ahead of it: "
        f"to keep what is ordered before it, add --decided-before {found.foreseen}"
    )
    return doc.notes([known], doc.Tone.DOUBTFUL)


def _felt(amount: Decimal) -> bool:
    return abs(amount) >= Decimal("0.5")


def _conflicts(found: Comparison) -> doc.Notes | None:
    """Return the materials missing from the figures because of conflicts."""
    texts = [
        f"in {name}, {', '.join(rules)} cannot hold together: what they touch is not planned, and in no figure"
        for name, rules in (("A", found.conflict_before), ("B", found.conflict_after))
        if rules
    ]
    if found.ranked:
        texts.append("objectives are ranked: this is what ranked plans cost, not what is least")
    return doc.notes(texts, doc.Tone.DOUBTFUL)


def _costs(found: Comparison) -> doc.Section:
    def row(title: str, was: Decimal, now: Decimal, *, strong: bool = False) -> doc.DataRow:
        return doc.DataRow(
            (title, doc.Amount(was), doc.Amount(now), doc.Amount(now - was, form="signed")), strong=strong
        )

    was, now = found.cost_before, found.cost_after
    rows = [row("cash", was.nominal, now.nominal, strong=True)]
    discounted = was.nominal != was.total or now.nominal != now.total
    when = "present value of " if discounted else ""
    for name, title in LINES_OF_COST:
        one, other = getattr(was, name), getattr(now, name)
        if (one or other) and (discounted or name != "total"):
            rows.append(row(when + title, one, other, strong=name == "total"))
    columns = [doc.Column(found.currency), doc.figures("A"), doc.figures("B"), doc.figures("B less A")]
    return doc.section("Money", doc.table(columns, rows), _penalties(found))


def _dependence_line(found: Comparison) -> str:
    """Return the share of purchases of concern in both plans. Empty if neither buys anything."""
    if not found.dependence or not (found.dependence[0].paid_before or found.dependence[0].paid_after):
        return ""
    whole = found.dependence[0]
    ends = (("A", whole.concern_before, whole.share_before), ("B", whole.concern_after, whole.share_after))
    told = (f"{name} {percent(share)} of purchases ({large_money(cash, found.currency)})" for name, cash, share in ends)
    return f"Countries of concern: {', '.join(told)}."


def _dependence(found: Comparison, shown: int) -> doc.Section:
    """Return the cash of concern: in total, then for the materials that differ most."""
    whole, *materials = found.dependence
    differ = [one for one in materials if _felt(one.concern_after - one.concern_before)]
    differ.sort(key=lambda one: (-abs(one.concern_after - one.concern_before), one.material))
    rows = [doc.DataRow(_dependence_cells("all purchases", whole), strong=True)]
    rows += [doc.DataRow(_dependence_cells(found.names.material(one.material), one)) for one in differ[: shown or None]]
    columns = [
        doc.Column("Paid for purchases of concern"),
        doc.figures("A", found.currency),
        doc.figures("B", found.currency),
    ]
    columns += [doc.figures("B less A"), doc.figures("Share in A"), doc.figures("Share in B")]
    more = doc.notes(left_out(len(differ) - (shown or len(differ)), "more material"))
    title, told = "Dependence on countries of concern", _dependence_line(found)
    return doc.section(title, doc.sentence(told), doc.table(columns, rows), more)


def _dependence_cells(name: str, one: DependenceLine) -> tuple[doc.Cell, ...]:
    return (
        name,
        doc.Amount(one.concern_before),
        doc.Amount(one.concern_after),
        doc.Amount(one.concern_after - one.concern_before, form="signed"),
        doc.Share(one.share_before) if one.paid_before else doc.NOTHING,
        doc.Share(one.share_after) if one.paid_after else doc.NOTHING,
    )


def _short(found: Comparison) -> doc.Section:
    """Return the materials whose shortage differs, by descending difference, and those that are as short in both."""
    names = found.names
    lacking = [one for one in found.materials if one.short_before_kg or one.short_after_kg]
    if not lacking:
        return doc.section("Short", doc.sentence("nothing is short, in either"), column="Short")
    other = [one for one in lacking if abs(one.short_after_kg - one.short_before_kg) >= LEAST]
    alike = [one for one in lacking if one not in other]
    told = ", ".join(
        f"{names.material(one.material)} {mass_of(names, one.material, one.short_after_kg)}" for one in alike
    )
    same = f"{count(len(alike), 'more material' if other else 'material')} as short in both"
    rows: list[list[doc.Cell]] = [
        [_material(one, found), *change(names, one.material, one.short_before_kg, one.short_after_kg)]
        for one in sorted(other, key=lambda one: (-abs(one.short_after_kg - one.short_before_kg), one.material))
    ]
    columns = [doc.Column("Material"), *(doc.figures(title, from_width=doc.SPARE) for title in ("A", "B"))]
    return doc.section(
        "Short",
        ranked([*columns, doc.figures("B less A")], rows, "more material", part=2) if rows else None,
        doc.for_whole(doc.notes([f"as short in both: {told}"] if alike else [])),
        doc.for_screen(doc.notes([same] if alike else [])),
        column="Short",
    )


def _material(one: MaterialLine, found: Comparison) -> doc.Either:
    return doc.Either(one.title(found.names.material(one.material)), one.title(found.names.label(one.material)))


def _moved(found: Comparison) -> tuple[list[MixLine], str]:
    """Return the supplies that differ in quantity or time, and the total moved, as far as it is comparable."""
    if found.moved_kg is None:
        moved = [line for line in found.mix if line.before_kg != line.after_kg]
        return moved, "The two plans have other periods: what is bought is added up over each of them."
    return [line for line in found.mix if line.moved_kg], _least(found)


def _mix(found: Comparison, shown: int) -> doc.Section:
    moved, told = _moved(found)
    title = "Who delivers, where the two differ"
    same = len(found.mix) - len(moved)
    alike = [f"{count(same, 'more supply', 'more supplies')} the same in both"] if same else []
    if not moved:
        nothing = doc.sentence("nobody delivers anything else, or at another time")
        return doc.section(title, nothing, doc.notes(alike), column="Delivered")
    return doc.section(title, _mix_table(moved, found, shown), doc.notes([told, *alike]), column="Delivered")


def _least(found: Comparison) -> str:
    moved = _by_material(found.moved_kg or {}, found.names)
    open_still = "whether a plan as cheap moves fewer is not proved"
    fewest = "no plan as cheap as B moves fewer" if found.least_moved else open_still
    return f"{moved} bought more or less, added up over suppliers and periods; {fewest}"


def _mix_table(
    moved: Sequence[MixLine],
    found: Comparison,
    shown: int,
    materials: Sequence[MaterialLine] = (),
    ends: tuple[str, str, str] = ("A", "B", "B less A"),
) -> doc.DataTable:
    """Return the supplies that differ, by descending difference."""
    names, titles = found.names, {one.material: one for one in materials or found.materials}
    rows: list[list[doc.Cell]] = [
        [
            _material(titles[one.material], found) if one.material in titles else names.material(one.material),
            doc.Either(names.offer_with_id(one.offer), _supplier(names, one.offer)),
            one.place,
            *change(names, one.material, one.before_kg, one.after_kg),
            weighed(names, one.material, one.moved_kg) if one.moved_kg else doc.NOTHING,
        ]
        for one in sorted(moved, key=lambda one: (-one.moved_kg, one.material, one.offer, one.place))
    ]
    columns = [
        doc.Column("Material"),
        doc.Column("From"),
        doc.Column("To", from_width=doc.MEDIUM),
        *(doc.figures(title, from_width=doc.NARROW) for title in ends[:2]),
        doc.figures(ends[2], from_width=doc.SPARE),
        doc.figures("Moved", from_width=doc.WIDE),
    ]
    which = " in which no more moved"
    return ranked(columns, rows, "more supply", "more supplies", part=4, top=shown, which=which)


def _steps(found: Comparison, shown: int) -> list[doc.Section]:
    """Return the effect of each change on the plan before it. On a screen, a single one is described above."""
    if len(found.steps) < 2:
        told = (doc.section("What the change does", _step_text(step, found)) for step in found.steps)
        return [replace(one, on="whole") for one in told]
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(number),
            doc.Either(step.title, doc.Several((step.title + ("" if _is_sure(step) else " ?"),))),
            "rules conflict" if step.conflict else _several(shortage_of(step, found.names)),
            doc.Amount(step.rise.nominal, form="signed"),
            penalty_of(step),
        ]
        for number, step in enumerate(found.steps, 1)
    ]
    columns = [
        replace(doc.figures("#"), on="whole"),
        doc.Column("Change"),
        doc.Column("Short", from_width=doc.NARROW),
        doc.figures("Cash", found.currency),
        doc.figures("Penalty", from_width=doc.MEDIUM),
    ]
    unproved = [
        f"{number}. {step.title}: spend and penalties together, not proved: {rise(step.difference)}"
        for number, step in enumerate(found.steps, 1)
        if not _is_sure(step)
    ]
    table = ranked(columns, rows, "later change", part=3)
    title = "Step by step from A to B"
    sections = [doc.section(title, table, doc.for_whole(doc.notes(unproved)), column="Changes, one by one")]
    for number, step in enumerate(found.steps, 1):
        if step.mix:
            body = _mix_table(step.mix, found, shown, step.materials, ("Before", "After", "More or less"))
            sections.append(replace(doc.section(f"{number}. {step.title}", body), on="whole"))
    return sections


def _is_sure(step: Step) -> bool:
    return bool(step.conflict) or step.difference.proved


def _step_text(step: Step, found: Comparison) -> doc.Sentence:
    """Return a single change, whose tables are those of the whole."""
    if step.conflict:
        return doc.sentence(f"{step.title}: {', '.join(step.conflict)} cannot hold together")
    return doc.sentence(f"{step.title}: {_money_words(step.rise, found.currency)}")


def _money_words(more: Cost, currency: str) -> str:
    words = [
        f"{signed(amount)} {currency} {what}"
        for amount, what in ((more.nominal, "cash"), (more.total, "present value"))
        if _felt(amount)
    ]
    weighed = _penalty_cell(more)
    told = ", ".join(words[: 1 if more.nominal == more.total else 2]) or "costs the same"
    return told + (f"; penalty about {currency} {written(weighed)}" if weighed != doc.NOTHING else "")


def _penalty_cell(more: Cost) -> doc.Cell:
    return penalty(more.shortage + more.penalties)


def penalty_of(step: Step) -> doc.Cell:
    """Return the penalties that a step adds. Blank if rules conflict after it."""
    return doc.NOTHING if step.conflict else _penalty_cell(step.rise)


def shortage_of(step: Step, names: ShownNames) -> list[str]:
    """Return the added shortage of each material."""
    more = {m.material: m.short_after_kg - m.short_before_kg for m in step.materials}
    return [
        f"{names.material(name)} {written(_more(names, name, kg))}" for name, kg in more.items() if abs(kg) >= LEAST
    ]


def _by_material(moved: Mapping[str, Decimal], names: ShownNames) -> str:
    """Return the kilograms of each material, the most first. Different materials aren't added."""
    ordered = sorted(moved.items(), key=lambda each: (-each[1], each[0]))
    told = [f"{mass_of(names, name, kg)} of {names.material(name)}" for name, kg in ordered]
    rest = [f"{count(len(told) - MATERIALS, 'more material')}"] if len(told) > MATERIALS else []
    return ", ".join([*told[:MATERIALS], *rest]) or "nothing"


def _facts(found: Comparison, shown: int) -> doc.Section | None:
    if found.steps:
        return None
    title = "What differs in the facts"
    if not found.facts:
        return doc.for_whole(doc.section(title, doc.sentence("nothing")))
    rows: list[list[doc.Cell]] = [
        [
            doc.Several((line.name,)) if line.name else line.kind,
            line.kind,
            *(doc.Several((text,)) if text else doc.NOTHING for text in (line.before, line.after)),
        ]
        for line in found.facts
    ]
    columns = [doc.Column("Name"), doc.Column("Kind", from_width=doc.SPARE), doc.Column("A"), doc.Column("B")]
    return doc.section(title, ranked(columns, rows, "more fact", part=2, top=shown), column="Facts of")


def change(names: ShownNames, material: str, before: Decimal, after: Decimal) -> list[doc.Cell]:
    """Return kilograms of a material before and after as cells, and their difference."""
    ends: list[doc.Cell] = [weighed(names, material, kg) if kg else doc.NOTHING for kg in (before, after)]
    return [*ends, _more(names, material, after - before)]


def _more(names: ShownNames, material: str, kilograms: Decimal) -> doc.Kilograms:
    return doc.Kilograms(kilograms, least=LEAST, of=names.basis(material))


def _money(found: Comparison) -> str:
    """Return the difference of each part of the spend, the largest first."""
    more = {title: getattr(found.cost_after, name) - getattr(found.cost_before, name) for name, title in LINES_OF_COST}
    more.pop("spent")
    parts = sorted((one for one in more.items() if abs(one[1]) >= 1), key=lambda one: -abs(one[1]))
    of_it = [f"{title} {_signed_money(amount, found.currency)}" for title, amount in parts]
    when = "Present value, " if found.cost_after.nominal != found.cost_after.total else ""
    return f"{when}B less A: {', '.join(of_it)}." if of_it else ""


def _supplier(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer, which may be cut, or an id, which is counted instead."""
    name = names.offer(offer)
    return doc.Several((name,), one="offer" if name == offer else "")


def _several(told: Sequence[str]) -> doc.Cell:
    return doc.Several(tuple(told), one="material") if told else doc.NOTHING
