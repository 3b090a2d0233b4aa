"""What a plan stands on: rules, what is kept out, leads, assumptions, versions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ..document.elements import Column, Element, Section, notes, section, section_if_any, sentence, table
from ..document.figures import count, large_money, mass
from ..domain.run import Run, RunRule, RunUnproven
from ..domain.used import aged

FEW = 6
"""Entries shown of what is kept out; all of it is in the JSON form."""
_ALL = "all with --json or --out"


def kept_out(run: Run) -> Section | None:
    """Offers that are only unproven, leads, and how many are forbidden."""
    return section_if_any("Kept out", *_unproven(run), *_leads(run), *_blocked(run))


def _unproven(run: Run) -> list[Element | None]:
    if not run.unproven:
        return []
    groups: defaultdict[tuple[str, str], list[RunUnproven]] = defaultdict(list)
    for row in run.unproven:
        groups[row.offer, row.reason or f"{row.rule} at {row.stage}"].append(row)
    offers = len({row.offer for row in run.unproven})
    title = f"Unproven: {count(offers, 'offer')} would pass if proof were given{_some(len(groups))}"
    texts = []
    for (offer, reason), rows in list(groups.items())[:FEW]:
        uses = ", ".join(dict.fromkeys(f"{row.demand_material} for {row.end_use}" for row in rows))
        texts.append(f"{offer}, kept from {_few(uses.split(', '))}: {reason}")
    return [sentence(title), notes(texts)]


def _leads(run: Run) -> list[Element | None]:
    if not run.leads:
        return []
    title = f"Leads: {count(len(run.leads), 'offer')} not counted until the case gives a figure{_some(len(run.leads))}"
    texts = [
        f"{lead.offer} ({lead.country}, {', '.join(lead.materials)}): {'; '.join(lead.reasons)}"
        for lead in run.leads[:FEW]
    ]
    return [sentence(title), notes(texts)]


def _blocked(run: Run) -> list[Element | None]:
    if not run.blocked:
        return []
    offers = Counter[str]()
    for rule, _ in {(row.rule, row.offer) for row in run.blocked}:
        offers[rule] += 1
    title = f"Forbidden: {count(len({row.offer for row in run.blocked}), 'offer')} in some use ({_ALL})"
    return [sentence(title), notes(f"{rule}: {count(n, 'offer')}" for rule, n in sorted(offers.items()))]


def _some(total: int) -> str:
    return f" (the first {FEW}; {_ALL})" if total > FEW else ""


def _few(words: list[str], most: int = 3) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def rules(run: Run) -> Section | None:
    """Rules that do something to this plan, with what they do; those in force that do nothing here; those without force."""
    if not run.rules:
        return None
    at_work = with_effect(run)
    rows = [
        [rule.id, "; ".join(map(_phase, rule.phases)), _effect(rule, run.currency), rule.title or rule.sentence]
        for rule in at_work
    ]
    columns = [Column("Rule"), Column("In force"), Column("Effect"), Column("What")]
    made = table(columns, rows) if rows else sentence("no rule has any effect")
    idle = [rule.id for rule in run.rules if rule.bites and rule not in at_work]
    without = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.bites]
    rest = [sentence(f"In force, without effect here: {', '.join(idle)}")] if idle else []
    rest += [sentence(f"Without force in this plan: {', '.join(without)}")] if without else []
    return section("Rules", made, *rest)


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


def _phase(text: str) -> str:
    """`2027-01-01..2030-12-31 enacted` in words; what else than enacted is said."""
    days, _, status = text.rpartition(" ")
    first, _, last = days.partition("..")
    told = (
        f"{first} to {last}" if first and last else f"from {first}" if first else f"until {last}" if last else "always"
    )
    return told if status == "enacted" else f"{told} ({status})"


def assumptions(run: Run) -> Section | None:
    """Everything taken as given; what is said of several things is said once."""
    if not run.assumptions:
        return None
    subjects: defaultdict[str, list[str]] = defaultdict(list)
    for row in run.assumptions:
        subjects[row.text].append(row.subject)
    told = [
        f"{names[0]}: {text}" if len(names) == 1 else f"{text}: {', '.join(names)}" for text, names in subjects.items()
    ]
    return section("Assumptions", notes(told))


def versions(run: Run) -> Section:
    """What made the plan, and what data it was made from."""
    made = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return section("Made with", notes([made, *_data(run)]))


def blocked_plugins(run: Run) -> Iterator[str]:
    """What counted as not installed."""
    for block in run.plugins_blocked:
        meant = ", ".join(block.plugins) or "nothing of that name is installed"
        yield f"without {block.name} ({meant}), blocked by {' and by '.join(block.by)}"


def _data(run: Run) -> Iterator[str]:
    for plugin in run.plugins:
        owner = plugin.distribution or "beside the case"
        if plugin.kind == "rule kind":
            yield f"{plugin.kind} {plugin.name} ({owner}), files {plugin.digest[:12] or 'not known'}"
        elif plugin.kind != "plugin":  # which data of it are used is told of them
            yield f"{plugin.kind} {plugin.name} ({owner}), {aged(plugin.as_of, run.made)}, data {plugin.digest[:12]}"
    yield from blocked_plugins(run)
    most = run.largest_miss_kg
    rounding = f"rounding misses a row by at most {mass(most)}" if most else "rounding misses no row"
    yield f"{count(run.components, 'independent part')} solved; {rounding}"
