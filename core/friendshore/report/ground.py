"""The basis of a plan: limits, rules, excluded offers, leads, assumptions, and versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, mass, number, rounded_money
from ..domain.base import grouped
from ..domain.run import Run, RunLimit, RunRule
from ..domain.unmet import RunConflict
from ..domain.used import aged

FEW = 6
"""Entries shown of what is kept out; all of it is in the JSON form."""
_ALL = "all with --json or --out"


def kept_out(run: Run) -> doc.Section | None:
    """Offers that are only unproven, leads, and how many are forbidden."""
    return doc.section_if_any("Kept out", *_unproven(run), *_leads(run), *_blocked(run))


def _unproven(run: Run) -> list[doc.Element | None]:
    if not run.unproven:
        return []
    groups = grouped(((row.offer, row.reason or f"{row.rule} at {row.stage}"), row) for row in run.unproven)
    offers = len({row.offer for row in run.unproven})
    title = f"Unproven: {count(offers, 'offer')} would pass if proof were given{_some(len(groups))}"
    texts = []
    for (offer, reason), rows in list(groups.items())[:FEW]:
        uses = ", ".join(dict.fromkeys(f"{row.demand_material} for {row.end_use}" for row in rows))
        texts.append(f"{offer}, kept from {few(uses.split(', '), 3)}: {reason}")
    return [doc.sentence(title), doc.notes(texts)]


def _leads(run: Run) -> list[doc.Element | None]:
    if not run.leads:
        return []
    title = f"Leads: {count(len(run.leads), 'offer')} not counted until the case gives a figure{_some(len(run.leads))}"
    texts = [
        f"{lead.offer} ({lead.country}, {', '.join(lead.materials)}): {'; '.join(lead.reasons)}"
        for lead in run.leads[:FEW]
    ]
    return [doc.sentence(title), doc.notes(texts)]


def _blocked(run: Run) -> list[doc.Element | None]:
    if not run.blocked:
        return []
    offers = Counter[str]()
    for rule, _ in {(row.rule, row.offer) for row in run.blocked}:
        offers[rule] += 1
    title = f"Forbidden: {count(len({row.offer for row in run.blocked}), 'offer')} in some use ({_ALL})"
    return [doc.sentence(title), doc.notes(f"{rule}: {count(n, 'offer')}" for rule, n in sorted(offers.items()))]


def _some(total: int) -> str:
    return f" (the first {FEW}; {_ALL})" if total > FEW else ""


def rules(run: Run) -> doc.Section | None:
    """Rules that do something to this plan, with what they do; those in force that do nothing here; those without force."""
    if not run.rules:
        return None
    made = rules_table(run) if with_effect(run) else doc.sentence("no rule has any effect")
    return doc.section("Rules", made, *without_effect(run))


def rules_table(run: Run) -> doc.DataTable:
    """Rules that do something to this plan, with what they do."""
    rows = [
        [rule.id, "; ".join(map(phase_text, rule.phases)), _effect(rule, run.currency), rule.title or rule.sentence]
        for rule in with_effect(run)
    ]
    return doc.table([doc.Column("Rule"), doc.Column("In force"), doc.Column("Effect"), doc.Column("What")], rows)


def without_effect(run: Run) -> list[doc.Sentence]:
    """Rules in force that do nothing here, and those without force."""
    at_work = {rule.id for rule in with_effect(run)}
    idle = [rule.id for rule in run.rules if rule.bites and rule.id not in at_work]
    without = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.bites]
    told = [doc.sentence(f"In force, without effect here: {', '.join(idle)}")] if idle else []
    return told + ([doc.sentence(f"Without force in this plan: {', '.join(without)}")] if without else [])


def with_effect(run: Run) -> list[RunRule]:
    """Rules in force that do something to this plan."""
    return [rule for rule in run.rules if rule.bites and (rule.keeps_out or rule.charges or rule.limits)]


def _effect(rule: RunRule, currency: str) -> str:
    parts = [
        f"keeps out {count(rule.keeps_out, 'offer')}" if rule.keeps_out else "",
        f"adds {large_money(rule.charges, currency)}" if rule.charges else "",
        f"{count(rule.limits, 'limit')}" if rule.limits else "",
    ]
    return ", ".join(part for part in parts if part)


def phase_text(text: str) -> str:
    """`2027-01-01..2030-12-31 enacted` in words; what else than enacted is said."""
    days, _, status = text.rpartition(" ")
    first, _, last = days.partition("..")
    told = (
        f"{first} to {last}" if first and last else f"from {first}" if first else f"until {last}" if last else "always"
    )
    return told if status == "enacted" else f"{told} ({status})"


def assumptions(run: Run) -> doc.Section | None:
    """Everything taken as given; what is said of several things is said once."""
    if not run.assumptions:
        return None
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    told = [
        f"{names[0]}: {text}" if len(names) == 1 else f"{text}: {', '.join(names)}" for text, names in subjects.items()
    ]
    return doc.section("Assumptions", doc.notes(told))


def versions(run: Run) -> doc.Section:
    """What made the plan, and what data it was made from."""
    made = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return doc.section("Made with", doc.notes([made, *_data(run)]))


def blocked_plugins(run: Run) -> Iterator[str]:
    """What counted as not installed."""
    for block in run.plugins_blocked:
        meant = ", ".join(block.plugins) or "nothing of that name is installed"
        yield f"without {block.name} ({meant}), blocked by {' and by '.join(block.by)}"


def _data(run: Run) -> Iterator[str]:
    for plugin in run.plugins:
        owner = plugin.distribution or "beside the case"
        if plugin.kind == "reader":
            yield f"{plugin.kind} {plugin.name} ({owner}), read {plugin.digest[:12]}"
        elif plugin.kind == "rule kind":
            yield f"{plugin.kind} {plugin.name} ({owner}), files {plugin.digest[:12] or 'not known'}"
        elif plugin.kind != "plugin":  # which data of it are used is told of them
            yield f"{plugin.kind} {plugin.name} ({owner}), {aged(plugin.as_of, run.made)}, data {plugin.digest[:12]}"
    yield from blocked_plugins(run)
    most = run.largest_miss_kg
    rounding = f"rounding misses a row by at most {mass(most)}" if most else "rounding misses no row"
    yield f"{count(run.components, 'independent part')} solved; {rounding}"


def limits(run: Run) -> doc.Section | None:
    """Limits: those that the plan misses, one line a rule, and how many it keeps."""
    if not run.limits:
        return None
    missed = grouped((limit.rule, limit) for limit in run.limits if limit.missed_by)
    kept = len(run.limits) - sum(map(len, missed.values()))
    texts = [_missed(run, rows) for rows in missed.values()]
    return doc.section("Limits", doc.notes([*texts, f"{count(kept, 'limit')} kept, of {len(run.limits)}"]))


def _missed(run: Run, rows: list[RunLimit]) -> str:
    """Return the missed rows of a rule: how many, when, by how much at most, and the penalty."""
    worst = max(rows, key=lambda row: row.missed_by)
    of = sum(1 for limit in run.limits if limit.rule == worst.rule)
    text = f"{worst.rule}: {worst.sentence or 'no sentence'}"
    text = text if text.endswith(".") else f"{text}."
    text += f" Missed in {len(rows)} of {count(of, 'row')}{_when(run, rows)}"
    text += f", by {'' if len(rows) == 1 else 'up to '}{_amount(run, worst)} ({worst.label})"
    priced = sum((row.penalty for row in rows), Decimal(0))
    if priced:
        text += f", penalty about {rounded_money(priced, run.currency)}"
    if any(worst.rule in part.rules for part in run.conflicts):
        text += "; nothing is planned where it conflicts, so that all of it is missed there"
    return text


def _when(run: Run, rows: list[RunLimit]) -> str:
    """Return the first and the last period that the rows name, if any."""
    order = {period.label: i for i, period in enumerate(run.periods)}
    found = sorted({order[word] for row in rows for word in row.label.split()[-1:] if word in order})
    if not found:
        return ""
    first, last = run.periods[found[0]].label, run.periods[found[-1]].label
    return f", {first}" if first == last else f", {first} to {last}"


def _amount(run: Run, row: RunLimit) -> str:
    if row.unit == "kg":
        return mass(row.missed_by)
    return large_money(row.missed_by, run.currency) if row.unit == run.currency else number(row.missed_by)


def floor_lines(part: RunConflict) -> Iterator[str]:
    """Floors that can hold later, with what to write into the rule."""
    for rule, day in part.holds_from.items():
        yield (
            f"{rule} can first be kept from {day} on, if nothing is asked of it before: write "
            f"`phases = [{{ from\u00a0=\u00a0{day} }}]` into the rule, and this conflict is gone"
        )


ROWS = 100
"""Rows of each table."""


def kept_out_section(run: Run) -> doc.Section | None:
    """Three tables, each with what would let an offer count."""
    return doc.section_if_any("What is not counted", _unproven_section(run), _leads_section(run), _blocked_section(run))


def _unproven_section(run: Run) -> doc.Section | None:
    if not run.unproven:
        return None
    groups = grouped(((row.offer, row.reason or f"{row.rule} at {row.stage}"), row) for row in run.unproven)
    rows = [
        [
            offer,
            ", ".join(dict.fromkeys(f"{row.demand_material} for {row.end_use}" for row in some)),
            some[0].rule,
            reason,
        ]
        for (offer, reason), some in list(groups.items())[:ROWS]
    ]
    offers = len({row.offer for row in run.unproven})
    title = f"Unproven: {count(offers, 'offer')} would pass if proof were given"
    made = doc.table(map(doc.Column, ("Offer", "Kept from", "Rule", "Not proved")), rows)
    return doc.section(title, made, doc.notes(more(len(groups) - ROWS, "row", "run.json")))


def _leads_section(run: Run) -> doc.Section | None:
    if not run.leads:
        return None
    rows = [
        [lead.offer, ", ".join(lead.materials), lead.facility, lead.country, "; ".join(lead.reasons)]
        for lead in run.leads[:ROWS]
    ]
    title = f"Leads: {count(len(run.leads), 'offer')} not counted until the case gives a figure"
    made = doc.table(map(doc.Column, ("Offer", "Material", "Facility", "In", "What is wanting")), rows)
    return doc.section(title, made, doc.notes(more(len(run.leads) - ROWS, "lead", "run.json")))


def _blocked_section(run: Run) -> doc.Section | None:
    """Return a row for each rule and clause, with its uses and offers."""
    if not run.blocked:
        return None
    groups = grouped(((row.rule, row.clause, row.demand_material, row.end_use), row) for row in run.blocked)
    rows = [
        [rule, clause, f"{material} for {use}", ", ".join(sorted({code for row in some for code in row.countries})), few(list(dict.fromkeys(row.offer for row in some)))]
        for (rule, clause, material, use), some in list(groups.items())[:ROWS]
    ]  # fmt: skip
    title = f"Forbidden: {count(len({row.offer for row in run.blocked}), 'offer')} in some use"
    made = doc.table(map(doc.Column, ("Rule", "Clause", "Kept from", "Countries", "Offers")), rows)
    return doc.section(title, made, doc.notes(more(len(groups) - ROWS, "row", "verdicts.csv")))


def few(names: Sequence[str], most: int = 12) -> str:
    """Names as a list; of very many the first, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def more(rows: int, one: str, file: str, many: str = "") -> list[str]:
    """What is told of so many rows that a list leaves out: how many, and where all of them are; nothing of none."""
    return (
        [f"{count(rows, f'more {one}', many and f'more {many}')}: {file} of the run folder has all"] if rows > 0 else []
    )
