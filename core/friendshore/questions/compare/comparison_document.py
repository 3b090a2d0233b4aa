"""A comparison as a document, and on a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ...document import elements as doc
from ...document.figures import count, large_money, percent, rounded_money, signed, written
from ...domain.countries import country_name
from ...domain.plan import Cost, without_residue
from ...domain.shown_names import ShownNames
from ..wording import cash, effort, mass_of, not_proved, omitted_note, penalty, ranked, rise, weighed
from .comparison import Comparison, DependenceLine, MaterialLine, MixLine, Step

SHOWN = 12
MAX_SHORT_MATERIALS = 2
MAX_MATERIALS = 6
MIN_KG = Decimal("0.05")
DELIVERED = "Delivered"
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
_PENALTIES = (("shortage", "shortage"), ("penalties", "missed soft limits"))


def comparison_document(comparison: Comparison, shown: int = SHOWN) -> doc.Document:
    """Return both plans and their differences. The whole document shows the first `shown` rows of each table, or all for 0."""
    line = _dependence_line(comparison)
    return doc.document(
        "Differences",
        doc.answer(f"{_difference(comparison)} A is {comparison.before}. B is {comparison.after}."),
        *map(
            doc.for_screen,
            (doc.sentence(money) if (money := _money_sentence(comparison)) else None, _penalties(comparison)),
        ),
        doc.for_screen(doc.sentence(line)) if line else None,
        what_is_known(comparison),
        _conflict_notes(comparison),
        _short_section(comparison),
        doc.for_whole(_money_section(comparison)),
        doc.for_whole(_dependence(comparison, shown)) if line else None,
        _mix_section(comparison, shown),
        *_step_sections(comparison, shown),
        _facts_section(comparison, shown),
        doc.for_screen(
            doc.apart(
                not_proved([comparison.difference, *(step.difference for step in comparison.steps)]),
                doc.sentence(doc.Phrase("--full", code=True), ": all tables, and the effect of each change"),
            )
        ),
        doc.for_whole(effort(comparison.effort)),
    )


def _difference(comparison: Comparison) -> str:
    return f"B {_shortage_words(comparison.materials, comparison.names)}, and spends {_cash_words(comparison)}."


def _shortage_words(materials: Sequence[MaterialLine], names: ShownNames) -> str:
    added = [(m.material, m.short_after_kg - m.short_before_kg) for m in materials]
    added = sorted((entry for entry in added if abs(entry[1]) >= MIN_KG), key=lambda entry: (-abs(entry[1]), entry[0]))
    if not added:
        return "has no shortage, like A" if not any(m.short_after_kg for m in materials) else "is as short as A"
    texts = [
        f"{mass_of(names, name, abs(kg))} {'more' if kg > 0 else 'less'} {names.material(name)}"
        for name, kg in added[:MAX_SHORT_MATERIALS]
    ]
    others = [count(len(added) - MAX_SHORT_MATERIALS, "other material")] if len(added) > MAX_SHORT_MATERIALS else []
    return f"is short of {' and '.join([', '.join(texts), *others])}"


def _cash_words(comparison: Comparison) -> str:
    rise = comparison.cost_after.rise_from(comparison.cost_before)
    cash, value = rise.nominal, rise.total
    if not _is_visible(cash) and not _is_visible(value):
        return "as much cash as A"
    words = f"{large_money(abs(cash), comparison.currency)} {'more' if cash > 0 else 'less'} cash"
    if not _is_visible(cash):
        words = "the same cash at other times"
    return words + (f" (present value {_signed_money(value, comparison.currency)})" if cash != value else "")


def _signed_money(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{large_money(amount, currency)}"


def _penalties(comparison: Comparison) -> doc.Sentence | None:
    parts = [
        f"{'+' if amount > 0 else ''}{rounded_money(amount, comparison.currency)} for {purpose}"
        for name, purpose in _PENALTIES
        if _is_visible(amount := getattr(comparison.cost_after, name) - getattr(comparison.cost_before, name))
    ]
    texts = [f"Penalties (not paid), B less A: about {' and '.join(parts)} (present value)."] if parts else []
    if not comparison.difference.proved:
        texts.append(
            f"Not proved: spend and penalties together differ by {rise(comparison.difference)} (present value)."
        )
    return doc.sentence(" ".join(texts), tone=doc.Tone.ASIDE) if texts else None


def what_is_known(comparison: Comparison) -> doc.Notes | None:
    if comparison.decided_before is not None:
        text = f"A and B keep the orders of the case's own plan before {comparison.decided_before}"
        return doc.notes([text])
    if comparison.foreseen is None:
        return None
    text = (
        f"the plans know the change of {comparison.foreseen} from the first day, and may buy ahead of it. "
        f"To keep earlier orders, add --decided-before {comparison.foreseen}"
    )
    return doc.notes([text], doc.Tone.DOUBTFUL)


def _is_visible(amount: Decimal) -> bool:
    return abs(amount) >= Decimal("0.5")


def _conflict_notes(comparison: Comparison) -> doc.Notes | None:
    texts = [
        f"in {name}, {', '.join(rules)} conflict. What they affect isn't planned, and is in no figure"
        for name, rules in (("A", comparison.conflict_before), ("B", comparison.conflict_after))
        if rules
    ]
    if comparison.ranked:
        texts.append("objectives are ranked, so this is the cost of ranked plans, not the minimum cost")
    return doc.notes(texts, doc.Tone.DOUBTFUL)


def _money_section(comparison: Comparison) -> doc.Section:
    before, after = comparison.cost_before, comparison.cost_after
    rise = after.rise_from(before)

    def row(title: str, name: str, *, strong: bool = False) -> doc.DataRow:
        amounts = (doc.Amount(getattr(before, name)), doc.Amount(getattr(after, name)))
        return doc.DataRow((title, *amounts, doc.Amount(getattr(rise, name), form="signed")), strong=strong)

    rows = [row("cash", "nominal", strong=True)]
    discounted = before.nominal != before.total or after.nominal != after.total
    when = "present value of " if discounted else ""
    for name, title in LINES_OF_COST:
        if (getattr(before, name) or getattr(after, name)) and (discounted or name != "total"):
            rows.append(row(when + title, name, strong=name == "total"))
    columns = [doc.Column(comparison.currency), doc.figures("A"), doc.figures("B"), doc.figures("B less A")]
    return doc.section("Money", doc.table(columns, rows), _penalties(comparison))


def _dependence_line(comparison: Comparison) -> str:
    if not comparison.dependence or not (comparison.dependence[0].paid_before or comparison.dependence[0].paid_after):
        return ""
    whole = comparison.dependence[0]
    ends = (("A", whole.concern_before, whole.share_before), ("B", whole.concern_after, whole.share_after))
    texts = (f"{name} {percent(share)} ({large_money(cash, comparison.currency)})" for name, cash, share in ends)
    return f"Purchases that depend or may depend on countries of concern: {', '.join(texts)}."


def _dependence(comparison: Comparison, shown: int) -> doc.Section:
    whole, *materials = comparison.dependence
    differ = [line for line in materials if _is_visible(line.concern_after - line.concern_before)]
    differ.sort(key=lambda line: (-abs(line.concern_after - line.concern_before), line.material))
    rows = [doc.DataRow(_dependence_cells("all purchases", whole), strong=True)]
    rows += [
        doc.DataRow(_dependence_cells(comparison.names.material(line.material), line))
        for line in differ[: shown or None]
    ]
    columns = [
        doc.Column("Paid for purchases of concern"),
        doc.figures("A", comparison.currency),
        doc.figures("B", comparison.currency),
    ]
    columns += [doc.figures("B less A"), doc.figures("Share in A"), doc.figures("Share in B")]
    more = doc.notes(omitted_note(len(differ) - (shown or len(differ)), "more material"))
    title, text = "Dependence on countries of concern", _dependence_line(comparison)
    return doc.section(title, doc.sentence(text), doc.table(columns, rows), more)


def _dependence_cells(name: str, line: DependenceLine) -> tuple[doc.Cell, ...]:
    return (
        name,
        doc.Amount(line.concern_before),
        doc.Amount(line.concern_after),
        doc.Amount(
            without_residue(line.concern_after - line.concern_before, line.concern_before, line.concern_after),
            form="signed",
        ),
        doc.Share(line.share_before) if line.paid_before else doc.NOTHING,
        doc.Share(line.share_after) if line.paid_after else doc.NOTHING,
    )


def _short_section(comparison: Comparison) -> doc.Section | None:
    names = comparison.names
    short_lines = [line for line in comparison.materials if line.short_before_kg or line.short_after_kg]
    if not short_lines:
        return doc.for_whole(doc.section("Short", doc.sentence("Neither plan has a shortage.")))
    different = [line for line in short_lines if abs(line.short_after_kg - line.short_before_kg) >= MIN_KG]
    same = [line for line in short_lines if line not in different]
    texts = ", ".join(
        f"{names.material(line.material)} {mass_of(names, line.material, line.short_after_kg)}" for line in same
    )
    same_note = f"{count(len(same), 'more material' if different else 'material')} with the same shortage in both"
    rows: list[list[doc.Cell]] = [
        [_material_name(line, comparison), *change(names, line.material, line.short_before_kg, line.short_after_kg)]
        for line in sorted(
            different, key=lambda line: (-abs(line.short_after_kg - line.short_before_kg), line.material)
        )
    ]
    columns = [doc.Column("Material"), *(doc.figures(title, from_width=doc.SPARE) for title in ("A", "B"))]
    return doc.section(
        "Short",
        ranked([*columns, doc.figures("B less A")], rows, "more material", part=2) if rows else None,
        doc.for_whole(doc.notes([f"same shortage in both: {texts}"] if same else [])),
        doc.for_screen(doc.notes([same_note] if same else [])),
        column="Short",
    )


def _material_name(line: MaterialLine, comparison: Comparison) -> doc.Either:
    return doc.Either(
        line.title(comparison.names.material(line.material)), line.title(comparison.names.material(line.material))
    )


def _moved(comparison: Comparison) -> tuple[list[MixLine], str]:
    if comparison.moved_kg is None:
        moved = [line for line in comparison.mix if line.before_kg != line.after_kg]
        return moved, "The plans have different periods, so purchases are summed over each plan."
    return [line for line in comparison.mix if line.moved_kg], _moved_words(comparison)


def _mix_section(comparison: Comparison, shown: int) -> doc.Section:
    moved, note = _moved(comparison)
    title = "Suppliers that differ"
    same = len(comparison.mix) - len(moved)
    same_note = [f"{count(same, 'more supply', 'more supplies')} the same in both"] if same else []
    if not moved:
        nothing = doc.sentence("all suppliers deliver the same at the same time")
        return doc.section(title, nothing, doc.notes(same_note), column=DELIVERED)
    return doc.section(title, _mix_table(moved, comparison, shown), doc.notes([note, *same_note]), column=DELIVERED)


def _moved_words(comparison: Comparison) -> str:
    moved = _by_material(comparison.moved_kg or {}, comparison.names)
    unproved = "It isn't proved that no plan as cheap as B moves less"
    minimum = "No plan as cheap as B moves less" if comparison.min_moved_proved else unproved
    return f"{moved} bought more or less, summed over suppliers and periods. {minimum}"


def _mix_table(
    moved: Sequence[MixLine],
    comparison: Comparison,
    shown: int,
    materials: Sequence[MaterialLine] = (),
    ends: tuple[str, str, str] = ("A", "B", "B less A"),
) -> doc.DataTable:
    names, titles = comparison.names, {line.material: line for line in materials or comparison.materials}
    rows: list[list[doc.Cell]] = [
        [
            _material_name(titles[line.material], comparison)
            if line.material in titles
            else names.material(line.material),
            doc.Either(names.offer_with_id(line.offer), _supplier_cell(names, line.offer)),
            country_name(line.place),
            *change(names, line.material, line.before_kg, line.after_kg),
            weighed(names, line.material, line.moved_kg) if line.moved_kg else doc.NOTHING,
        ]
        for line in sorted(moved, key=lambda line: (-line.moved_kg, line.material, line.offer, line.place))
    ]
    columns = [
        doc.Column("Material"),
        doc.Column("From"),
        doc.Column("To", from_width=doc.WIDE),
        *(doc.figures(title, from_width=doc.NARROW) for title in ends[:2]),
        doc.figures(ends[2], from_width=doc.SPARE),
        doc.figures("Moved", from_width=doc.WIDE),
    ]
    omitted = " that moved no more"
    return ranked(columns, rows, "more supply", "more supplies", part=4, top=shown, which=omitted)


def _step_sections(comparison: Comparison, shown: int) -> list[doc.Section]:
    if len(comparison.steps) < 2:
        single = (doc.section("Effect of the change", _step_text(step, comparison)) for step in comparison.steps)
        return [replace(section, on="whole") for section in single]
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(number),
            doc.Either(step.title, doc.Several((step.title + ("" if _is_proved(step) else " ?"),))),
            "rules conflict" if step.conflict else _materials_cell(shortage_of(step, comparison.names)),
            cash(step.rise.nominal, signed=True),
            penalty_of(step),
        ]
        for number, step in enumerate(comparison.steps, 1)
    ]
    columns = [
        replace(doc.figures("#"), on="whole"),
        doc.Column("Change"),
        doc.Column("Short", from_width=doc.NARROW),
        doc.figures("Cash", comparison.currency),
        doc.figures("Penalty", from_width=doc.MEDIUM),
    ]
    unproved = [
        f"{number}. {step.title}: spend and penalties together, not proved: {rise(step.difference)}"
        for number, step in enumerate(comparison.steps, 1)
        if not _is_proved(step)
    ]
    table = ranked(columns, rows, "later change", part=3)
    title = "Step by step from A to B"
    sections = [doc.section(title, table, doc.for_whole(doc.notes(unproved)), column="Changes, one by one")]
    for number, step in enumerate(comparison.steps, 1):
        if step.mix:
            body = _mix_table(step.mix, comparison, shown, step.materials, ("Before", "After", "More or less"))
            sections.append(replace(doc.section(f"{number}. {step.title}", body), on="whole"))
    return sections


def _is_proved(step: Step) -> bool:
    return bool(step.conflict) or step.difference.proved


def _step_text(step: Step, comparison: Comparison) -> doc.Sentence:
    if step.conflict:
        return doc.sentence(f"{step.title}: {', '.join(step.conflict)} conflict")
    return doc.sentence(f"{step.title}: {_money_words(step.rise, comparison.currency)}")


def _money_words(rise: Cost, currency: str) -> str:
    words = [
        f"{signed(amount)} {currency} {what}"
        for amount, what in ((rise.nominal, "cash"), (rise.total, "present value"))
        if _is_visible(amount)
    ]
    weighed = _penalty_cell(rise)
    text = ", ".join(words[: 1 if rise.nominal == rise.total else 2]) or "costs the same"
    return text + (f"; penalty about {currency} {written(weighed)}" if weighed != doc.NOTHING else "")


def _penalty_cell(rise: Cost) -> doc.Cell:
    return penalty(rise.shortage + rise.penalties)


def penalty_of(step: Step) -> doc.Cell:
    return doc.NOTHING if step.conflict else _penalty_cell(step.rise)


def shortage_of(step: Step, names: ShownNames) -> list[str]:
    added_kg = {m.material: m.short_after_kg - m.short_before_kg for m in step.materials}
    return [
        f"{names.material(name)} {written(_kilogram_cell(names, name, kg))}"
        for name, kg in added_kg.items()
        if abs(kg) >= MIN_KG
    ]


def _by_material(moved: Mapping[str, Decimal], names: ShownNames) -> str:
    """Return the kilograms of each material, the most first."""
    ordered = sorted(moved.items(), key=lambda each: (-each[1], each[0]))
    texts = [f"{mass_of(names, name, kg)} of {names.material(name)}" for name, kg in ordered]
    others = [f"{count(len(texts) - MAX_MATERIALS, 'more material')}"] if len(texts) > MAX_MATERIALS else []
    return ", ".join([*texts[:MAX_MATERIALS], *others]) or "nothing"


def _facts_section(comparison: Comparison, shown: int) -> doc.Section | None:
    if comparison.steps:
        return None
    title = "Differences in the facts"
    if not comparison.facts:
        return doc.for_whole(doc.section(title, doc.sentence("nothing")))
    rows: list[list[doc.Cell]] = [
        [
            doc.Several((line.name,)) if line.name else line.kind,
            line.kind,
            *(doc.Several((text,)) if text else doc.NOTHING for text in (line.before, line.after)),
        ]
        for line in comparison.facts
    ]
    columns = [doc.Column("Name"), doc.Column("Kind", from_width=doc.SPARE), doc.Column("A"), doc.Column("B")]
    return doc.section(title, ranked(columns, rows, "more fact", part=2, top=shown), column="Facts of")


def change(names: ShownNames, material: str, before: Decimal, after: Decimal) -> list[doc.Cell]:
    ends: list[doc.Cell] = [weighed(names, material, kg) if kg else doc.NOTHING for kg in (before, after)]
    return [*ends, _kilogram_cell(names, material, after - before)]


def _kilogram_cell(names: ShownNames, material: str, kilograms: Decimal) -> doc.Kilograms:
    return doc.Kilograms(kilograms, least=MIN_KG, of=names.basis(material))


def _money_sentence(comparison: Comparison) -> str:
    rise = {
        title: getattr(comparison.cost_after, name) - getattr(comparison.cost_before, name)
        for name, title in LINES_OF_COST
    }
    rise.pop("spent")
    parts = sorted((part for part in rise.items() if abs(part[1]) >= 1), key=lambda part: -abs(part[1]))
    texts = [f"{title} {_signed_money(amount, comparison.currency)}" for title, amount in parts]
    when = "Present value, " if comparison.cost_after.nominal != comparison.cost_after.total else ""
    return f"{when}B less A: {', '.join(texts)}." if texts else ""


def _supplier_cell(names: ShownNames, offer: str) -> doc.Cell:
    """Return the plant of an offer, which may be cut, or an id, which is counted instead."""
    name = names.offer(offer)
    return doc.Several((name,), one="offer" if name == offer else "")


def _materials_cell(texts: Sequence[str]) -> doc.Cell:
    return doc.Several(tuple(texts), one="material") if texts else doc.NOTHING
