"""The basis of a plan: limits, rules, excluded offers, leads, assumptions, and versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..document import elements as doc
from ..document.figures import count, large_money, mass, number, rounded_money
from ..domain.base import grouped
from ..domain.countries import country_name
from ..domain.run import Run, RunLimit, RunRule
from ..domain.unmet import RunConflict
from ..domain.used import DatedStatus, aged


def rules(run: Run) -> doc.Section | None:
    if not run.rules:
        return None
    table = rules_table(run) if with_effect(run) else doc.sentence("no rule has any effect")
    return doc.section("Rules", table, *without_effect(run))


def rules_table(run: Run) -> doc.DataTable:
    rows: list[list[doc.Cell]] = [
        [
            rule.id,
            "; ".join(phase_text(DatedStatus.read(text)) for text in rule.phases),
            _effect(rule, run.currency),
            _titled(rule),
        ]
        for rule in with_effect(run)
    ]
    return doc.table([doc.Column("Rule"), doc.Column("In force"), doc.Column("Effect"), doc.Column("Title")], rows)


def _titled(rule: RunRule) -> doc.Phrase:
    title = rule.title or rule.sentence
    return doc.Phrase(f"{title.rstrip('.')} ({rule.citation})" if rule.citation else title, brief=title)


def without_effect(run: Run) -> list[doc.Sentence]:
    effective_ids = {rule.id for rule in with_effect(run)}
    idle_rules = [rule.id for rule in run.rules if rule.applies and rule.id not in effective_ids]
    inactive_rules = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.applies]
    sentences = [doc.sentence(f"In force but without effect here: {', '.join(idle_rules)}")] if idle_rules else []
    return sentences + (
        [doc.sentence(f"Not in force during this plan: {', '.join(inactive_rules)}")] if inactive_rules else []
    )


def with_effect(run: Run) -> list[RunRule]:
    return [rule for rule in run.rules if rule.applies and (rule.excluded_offers or rule.charges or rule.limits)]


def _effect(rule: RunRule, currency: str) -> str:
    parts = [
        f"excludes {count(rule.excluded_offers, 'offer')}" if rule.excluded_offers else "",
        f"adds {large_money(rule.charges, currency)}" if rule.charges else "",
        f"{count(rule.limits, 'limit')}" if rule.limits else "",
    ]
    return ", ".join(part for part in parts if part)


def phase_text(phase: DatedStatus) -> str:
    """Return a phase in words. Only a status other than enacted is named."""
    start, end, status = phase
    days = f"{start} to {end}" if start and end else f"from {start}" if start else f"until {end}" if end else "always"
    return days if status == "enacted" else f"{days} ({status})"


def assumptions(run: Run) -> doc.Section | None:
    if not run.assumptions:
        return None
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    lines = [
        f"{names[0]}: {text}" if len(names) == 1 else f"{text}: {', '.join(names)}" for text, names in subjects.items()
    ]
    return doc.section("Assumptions", doc.notes(lines))


def versions(run: Run) -> doc.Section:
    software = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return doc.section("Made with", doc.notes([software, *_data_lines(run)]))


def blocked_plugins(run: Run) -> Iterator[str]:
    for block in run.plugins_blocked:
        matches = ", ".join(block.plugins) or "no plugin of that name is installed"
        yield f"without {block.name} ({matches}), blocked by {' and by '.join(block.by)}"


def _data_lines(run: Run) -> Iterator[str]:
    for plugin in run.plugins:
        owner = plugin.distribution or "beside the case"
        if plugin.kind == "reader":
            yield f"{plugin.kind} {plugin.name} ({owner}), read {plugin.digest[:12]}"
        elif plugin.kind == "rule kind":
            yield f"{plugin.kind} {plugin.name} ({owner}), files {plugin.digest[:12] or 'unknown'}"
        elif plugin.kind != "plugin":  # the data that the case uses has rows of its own
            yield f"{plugin.kind} {plugin.name} ({owner}), {aged(plugin.as_of, run.planned_on)}, data {plugin.digest[:12]}"
    yield from blocked_plugins(run)
    largest_miss = run.largest_miss_kg
    rounding = (
        f"rounding violates a row by at most {mass(largest_miss)}" if largest_miss else "rounding violates no row"
    )
    yield f"{count(run.components, 'independent part')} solved; {rounding}"


def limits(run: Run) -> doc.Section | None:
    if not run.limits:
        return None
    missed = grouped((limit.rule, limit) for limit in run.limits if limit.missed_by)
    satisfied = len(run.limits) - sum(map(len, missed.values()))
    texts = [_missed_limit(run, rows) for rows in missed.values()]
    return doc.section("Limits", doc.notes([*texts, f"{satisfied} of {count(len(run.limits), 'limit')} satisfied"]))


def _missed_limit(run: Run, rows: list[RunLimit]) -> str:
    worst = max(rows, key=lambda row: row.missed_by)
    total = sum(1 for limit in run.limits if limit.rule == worst.rule)
    text = f"{worst.rule}: {worst.sentence or 'no sentence'}"
    text = text if text.endswith(".") else f"{text}."
    text += f" Missed in {len(rows)} of {count(total, 'row')}{_period_range(run, rows)}"
    text += f", by {'' if len(rows) == 1 else 'up to '}{_amount(run, worst)} ({worst.label})"
    penalty = sum((row.penalty for row in rows), Decimal(0))
    if penalty:
        text += f", penalty about {rounded_money(penalty, run.currency)}"
    if any(worst.rule in part.rules for part in run.conflicts):
        text += "; conflicting parts aren't planned, so the limit is missed there in full"
    return text


def _period_range(run: Run, rows: list[RunLimit]) -> str:
    order = {period.label: i for i, period in enumerate(run.periods)}
    positions = sorted({order[word] for row in rows for word in row.label.split()[-1:] if word in order})
    if not positions:
        return ""
    first, last = run.periods[positions[0]].label, run.periods[positions[-1]].label
    return f", {first}" if first == last else f", {first} to {last}"


def _amount(run: Run, row: RunLimit) -> str:
    if row.unit == "kg":
        return mass(row.missed_by)
    return large_money(row.missed_by, run.currency) if row.unit == run.currency else number(row.missed_by)


def floor_lines(part: RunConflict) -> Iterator[str]:
    for rule, day in part.feasible_from.items():
        yield (
            f"{rule} can be satisfied from {day} on. To require it only from then, write "
            f"`phases = [{{ from\u00a0=\u00a0{day} }}]` in the rule, which resolves this conflict"
        )


MAX_ROWS = 6


class _KeptOut(NamedTuple):
    """Offers that are excluded for one kind of reason. `sentence` is a template with the positions of a row's cells."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    sentence: str
    file: str


def kept_out(run: Run, max_rows: int = MAX_ROWS, *, as_tables: bool = False) -> doc.Section | None:
    sections = []
    for kind in filter(lambda kind: kind.rows, (_unproven(run), _leads(run), _prohibited(run))):
        rows, notes_on_rest = kind.rows[:max_rows], rows_left(len(kind.rows) - max_rows, "row", kind.file)
        table = doc.table(map(doc.Column, kind.columns), rows) if as_tables else None
        notes = doc.notes([*([] if as_tables else [kind.sentence.format(*row) for row in rows]), *notes_on_rest])
        sections.append(doc.section(kind.title, table, notes, tone=doc.Tone.TITLE if as_tables else doc.Tone.PLAIN))
    return doc.section_if_any("Excluded offers", *sections)


def _unproven(run: Run) -> _KeptOut:
    groups = grouped(((row.offer, row.reason or f"{row.rule} at {row.stage}"), row) for row in run.unproven)
    rows = [
        (
            offer,
            joined([f"{row.demand_material} for {row.end_use}" for row in rows_in_group], 3),
            rows_in_group[0].rule,
            reason,
        )
        for (offer, reason), rows_in_group in groups.items()
    ]
    title = f"Unproven: {count(len({row.offer for row in run.unproven}), 'offer')} would pass with proof"
    return _KeptOut(
        title, ("Offer", "Excluded from", "Rule", "Missing proof"), rows, "{0}, excluded from {1}: {3}", "run.json"
    )


def _leads(run: Run) -> _KeptOut:
    rows = [
        (lead.offer, ", ".join(lead.materials), lead.facility, country_name(lead.country), "; ".join(lead.reasons))
        for lead in run.leads
    ]
    title = f"Leads: {count(len(run.leads), 'offer')} not counted, since a figure is missing"
    columns = ("Offer", "Material", "Facility", "In", "Missing")
    return _KeptOut(title, columns, rows, "{0} ({3}, {1}): {4}", "run.json")


def _prohibited(run: Run) -> _KeptOut:
    groups = grouped(((row.rule, row.clause, row.demand_material, row.end_use), row) for row in run.blocked)
    rows = [
        (
            rule,
            clause,
            f"{material} for {use}",
            ", ".join(sorted({country_name(code) for row in rows_in_group for code in row.countries})),
            joined([row.offer for row in rows_in_group]),
        )
        for (rule, clause, material, use), rows_in_group in groups.items()
    ]
    title = f"Prohibited: {count(len({row.offer for row in run.blocked}), 'offer')} for some uses"
    columns = ("Rule", "Clause", "Excluded from", "Countries", "Offers")
    return _KeptOut(title, columns, rows, "{0}, {2}: {4}", "verdicts.csv")


def joined(names: Iterable[str], max_names: int = 12) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:max_names]) + (f" and {len(names) - max_names:,} more" if len(names) > max_names else "")


def rows_left(rows: int, singular: str, file: str, plural: str = "") -> list[str]:
    """Return how many rows a list omits, and which file has them. Empty if it omits none."""
    return (
        [f"{count(rows, f'more {singular}', plural and f'more {plural}')}: all are in {file} of the run folder"]
        if rows > 0
        else []
    )
