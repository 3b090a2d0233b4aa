"""The basis of a plan: limits, rules, excluded offers, leads, assumptions, and versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..document import elements as doc
from ..document.figures import count, large_money, mass, number, rounded_money
from ..domain.base import grouped
from ..domain.run import Run, RunLimit, RunRule
from ..domain.unmet import RunConflict
from ..domain.used import DatedStatus, aged


def rules(run: Run) -> doc.Section | None:
    """Return rules that affect this plan, with their effects, then those in force without effect, and those not in force."""
    if not run.rules:
        return None
    made = rules_table(run) if with_effect(run) else doc.sentence("no rule has any effect")
    return doc.section("Rules", made, *without_effect(run))


def rules_table(run: Run) -> doc.DataTable:
    """Return the rules that affect this plan, with their effects."""
    rows: list[list[doc.Cell]] = [
        [
            rule.id,
            "; ".join(phase_text(DatedStatus.read(text)) for text in rule.phases),
            _effect(rule, run.currency),
            _titled(rule),
        ]
        for rule in with_effect(run)
    ]
    return doc.table([doc.Column("Rule"), doc.Column("In force"), doc.Column("Effect"), doc.Column("What")], rows)


def _titled(rule: RunRule) -> doc.Phrase:
    """Return the title of a rule, with its citation if it fits."""
    title = rule.title or rule.sentence
    return doc.Phrase(f"{title.rstrip('.')} ({rule.citation})" if rule.citation else title, brief=title)


def without_effect(run: Run) -> list[doc.Sentence]:
    """Return the rules in force without effect, and those not in force."""
    at_work = {rule.id for rule in with_effect(run)}
    idle = [rule.id for rule in run.rules if rule.bites and rule.id not in at_work]
    without = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.bites]
    told = [doc.sentence(f"In force, without effect here: {', '.join(idle)}")] if idle else []
    return told + ([doc.sentence(f"Without force in this plan: {', '.join(without)}")] if without else [])


def with_effect(run: Run) -> list[RunRule]:
    """Return the rules in force that affect this plan."""
    return [rule for rule in run.rules if rule.bites and (rule.keeps_out or rule.charges or rule.limits)]


def _effect(rule: RunRule, currency: str) -> str:
    parts = [
        f"keeps out {count(rule.keeps_out, 'offer')}" if rule.keeps_out else "",
        f"adds {large_money(rule.charges, currency)}" if rule.charges else "",
        f"{count(rule.limits, 'limit')}" if rule.limits else "",
    ]
    return ", ".join(part for part in parts if part)


def phase_text(phase: DatedStatus) -> str:
    """Return a phase in words. A status other than enacted is named."""
    start, end, status = phase
    days = f"{start} to {end}" if start and end else f"from {start}" if start else f"until {end}" if end else "always"
    return days if status == "enacted" else f"{days} ({status})"


def assumptions(run: Run) -> doc.Section | None:
    """Return all assumptions. One that applies to several things appears once."""
    if not run.assumptions:
        return None
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    told = [
        f"{names[0]}: {text}" if len(names) == 1 else f"{text}: {', '.join(names)}" for text, names in subjects.items()
    ]
    return doc.section("Assumptions", doc.notes(told))


def versions(run: Run) -> doc.Section:
    """Return the versions of the software and the data behind the plan."""
    made = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return doc.section("Made with", doc.notes([made, *_data(run)]))


def blocked_plugins(run: Run) -> Iterator[str]:
    """Yield the plugins that the user blocked."""
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
    """Return the limits: those that the plan violates, one line per rule, and the number of those that it satisfies."""
    if not run.limits:
        return None
    missed = grouped((limit.rule, limit) for limit in run.limits if limit.missed_by)
    kept = len(run.limits) - sum(map(len, missed.values()))
    texts = [_missed(run, rows) for rows in missed.values()]
    return doc.section("Limits", doc.notes([*texts, f"{count(kept, 'limit')} kept, of {len(run.limits)}"]))


def _missed(run: Run, rows: list[RunLimit]) -> str:
    """Return the violated rows of a rule: number, periods, largest violation, and penalty."""
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
    """Yield the minimums that can be satisfied later, with the change to make in the rule."""
    for rule, day in part.holds_from.items():
        yield (
            f"{rule} can first be kept from {day} on, if nothing is asked of it before: write "
            f"`phases = [{{ from\u00a0=\u00a0{day} }}]` into the rule, and this conflict is gone"
        )


FEW = 6
"""Default number of entries for each kind of offer that doesn't count."""


class _KeptOut(NamedTuple):
    """Offers of a kind that don't count."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    sentence: str
    """A row as a sentence, with the positions of its cells."""
    file: str
    """File of a run folder with all entries."""


def kept_out(run: Run, most: int = FEW, *, as_tables: bool = False) -> doc.Section | None:
    """Return the offers that don't count, and how to make each count: the first of each kind, in sentences or in tables."""
    sections = []
    for kind in filter(lambda kind: kind.rows, (_unproven(run), _leads(run), _forbidden(run))):
        rows, left = kind.rows[:most], more(len(kind.rows) - most, "row", kind.file)
        table = doc.table(map(doc.Column, kind.columns), rows) if as_tables else None
        notes = doc.notes([*([] if as_tables else [kind.sentence.format(*row) for row in rows]), *left])
        sections.append(doc.section(kind.title, table, notes, tone=doc.Tone.TITLE if as_tables else doc.Tone.PLAIN))
    return doc.section_if_any("Kept out", *sections)


def _unproven(run: Run) -> _KeptOut:
    groups = grouped(((row.offer, row.reason or f"{row.rule} at {row.stage}"), row) for row in run.unproven)
    rows = [
        (offer, few([f"{row.demand_material} for {row.end_use}" for row in some], 3), some[0].rule, reason)
        for (offer, reason), some in groups.items()
    ]
    title = f"Unproven: {count(len({row.offer for row in run.unproven}), 'offer')} would pass if proof were given"
    return _KeptOut(title, ("Offer", "Kept from", "Rule", "Not proved"), rows, "{0}, kept from {1}: {3}", "run.json")


def _leads(run: Run) -> _KeptOut:
    rows = [
        (lead.offer, ", ".join(lead.materials), lead.facility, lead.country, "; ".join(lead.reasons))
        for lead in run.leads
    ]
    title = f"Leads: {count(len(run.leads), 'offer')} not counted until the case gives a figure"
    columns = ("Offer", "Material", "Facility", "In", "What is wanting")
    return _KeptOut(title, columns, rows, "{0} ({3}, {1}): {4}", "run.json")


def _forbidden(run: Run) -> _KeptOut:
    groups = grouped(((row.rule, row.clause, row.demand_material, row.end_use), row) for row in run.blocked)
    rows = [
        (
            rule,
            clause,
            f"{material} for {use}",
            ", ".join(sorted({code for row in some for code in row.countries})),
            few([row.offer for row in some]),
        )
        for (rule, clause, material, use), some in groups.items()
    ]
    title = f"Forbidden: {count(len({row.offer for row in run.blocked}), 'offer')} in some use"
    columns = ("Rule", "Clause", "Kept from", "Countries", "Offers")
    return _KeptOut(title, columns, rows, "{0}, {2}: {4}", "verdicts.csv")


def few(names: Iterable[str], most: int = 12) -> str:
    """Return distinct names as a list: the first, and the number of the others."""
    names = list(dict.fromkeys(names))
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def more(rows: int, one: str, file: str, many: str = "") -> list[str]:
    """Return the number of rows that a list omits and the file that has them. Empty if there are none."""
    return (
        [f"{count(rows, f'more {one}', many and f'more {many}')}: {file} of the run folder has all"] if rows > 0 else []
    )
