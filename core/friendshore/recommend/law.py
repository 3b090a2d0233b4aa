"""Legal parts of a run in words: rules, compliance classes, excluded and exposed offers, limits, verdicts, and duties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import attrgetter

from ..domain import assumption_codes as codes
from ..domain.base import SharedValues, as_decimal, exact, grouped
from ..domain.facts import Material
from ..domain.run import RunAssumption, RunBlocked, RunComplianceClass, RunLimit, RunPurchase, RunRule, RunUnproven
from ..domain.time import Period
from ..errors import Diagnostic
from ..explain import Exclusion
from ..explain.relaxations import unit_of
from ..plugins import sentence_of
from ..problem import Problem
from ..problem.compliance_classes import ComplianceClass, Outlet
from ..problem.network import Arc
from ..rules.base import Rule, Selector
from ..rules.kinds import Tariff
from ..rules.kinds.limits import Cover, MaxChurn, MaxShare, MinDelivered, MinShare, MinSuppliers, StockLevel
from ..rules.kinds.shared import listed
from ..rules.verdicts import is_origin_unknown
from ..run import RunVerdict
from ..verify import VerifiedPlan
from .facts import PackFacts

PACK = "pack"
"""Prefix of the subject of notes on a pack, before its name."""


def describe_rules(verified: VerifiedPlan, excluded: Sequence[Exclusion], pack_of: Mapping[str, str]) -> list[RunRule]:
    problem = verified.problem
    offers: dict[str, set[str]] = {}
    for exclusion in excluded:
        offers.setdefault(exclusion.verdict.rule, set()).add(exclusion.arc.chained.offer.id)
    rows = verified.readings.rules
    span = problem.case.horizon.span
    rules = []
    for rule in problem.rules:
        phases = [phase for phase in rule.phases if phase.span.meets(span)]
        rules.append(
            RunRule(
                id=rule.id,
                kind=rule.kind,
                title=rule.title,
                short_title=rule.short_title,
                citation=rule.citation,
                sentence=sentence_of(rule),
                status=", ".join(dict.fromkeys(phase.status.value for phase in phases)) or "not during the plan",
                phases=[f"{phase.span} {phase.status.value}" for phase in phases],
                applies=rule.applies(span, problem.law.statuses),
                excluded_offers=len(offers.get(rule.id, ())),
                charges=exact(verified.charged.get(rule.id, Decimal(0))),
                limits=rows[rule.id],
                pack=pack_of.get(rule.id, ""),
            )
        )
    return rules


def describe_packs(packs: Iterable[PackFacts], day: date | None) -> list[RunAssumption]:
    """Return the notes on rule packs that were made for a case, and warnings for those older than it allows on the day of the run."""
    notes_of_packs = []
    for pack in packs:
        notes = list(pack.notes)
        if pack.good_until is not None and day is not None and pack.good_until < day:
            notes.insert(0, f"older than the case allows (valid until {pack.good_until})")
        notes_of_packs += [
            RunAssumption(subject=f"{PACK} {pack.id}", text=note, code=codes.PACK_NOTE) for note in notes
        ]
    return notes_of_packs


def describe_compliance_classes(problem: Problem) -> list[RunComplianceClass]:
    return [
        RunComplianceClass(
            label=compliance_class.label,
            name=_name(problem, compliance_class, forbids),
            uses=_uses(problem, compliance_class),
            excluding_rules=forbids,
        )
        for compliance_class, forbids in (
            (compliance_class, _forbids(problem, compliance_class)) for compliance_class in problem.compliance_classes
        )
    ]


def _name(problem: Problem, compliance_class: ComplianceClass, forbids: Sequence[str]) -> str:
    uses = sorted({problem.demands[outlet.demand].use.end_use for outlet in compliance_class.outlets})
    excluded = f", except what {' and '.join(forbids)} prohibit{'s' if len(forbids) == 1 else ''}" if forbids else ""
    tainting_rules = " or ".join(sorted(compliance_class.free_of))
    tainted = f", and nothing that {tainting_rules} taints" if tainting_rules else ""
    return f"{' and '.join(uses) or 'several uses at once'}: all goods{excluded}{tainted}"


def _uses(problem: Problem, compliance_class: ComplianceClass) -> list[str]:
    periods = grouped(((outlet.demand, outlet.waivers), outlet.period) for outlet in compliance_class.outlets)
    texts = []
    for (demand, waivers), indices in periods.items():
        first, last = min(indices), max(indices)
        label = problem.case.horizon.label
        stretch = label(first) if first == last else f"{label(first)} to {label(last)}"
        under = f" under {', '.join(waivers)}" if waivers else ""
        texts.append(f"{problem.demands[demand].id} {stretch}{under}")
    return texts


def _forbids(problem: Problem, compliance_class: ComplianceClass) -> list[str]:
    blocked = set(compliance_class.blocked) | {arc for arc, _ in compliance_class.blocked_cells}
    rules: set[str] = set()
    for outlet in compliance_class.outlets:
        judgement = problem.judgements[problem.demands[outlet.demand].use]
        for table in (judgement.chain, judgement.trade):
            for rule, verdicts in table.items():
                if not _can_be_in_force(problem, rule, outlet):
                    continue
                if any(
                    arc in blocked and problem.law.forbids(verdict, problem.network.arcs[arc])
                    for arc, verdict in verdicts.items()
                ):
                    rules.add(problem.rules[rule].id)
    return sorted(rules)


def _can_be_in_force(problem: Problem, rule: int, outlet: Outlet) -> bool:
    """Return True if a rule can be in force for a delivery: on its days, or on any day of the plan if the rule is dated by another day."""
    candidate = problem.rules[rule]
    if candidate.judge_scope == "trade" or candidate.dated_by == "order":
        return problem.law.in_force(rule, problem.case.horizon.span)
    return problem.law.in_force(rule, problem.case.horizon.periods[outlet.period].span)


def describe_unproven(all_excluded: list[Exclusion]) -> list[RunUnproven]:
    return list(
        dict.fromkeys(RunUnproven(**_shared_fields(exclusion)) for exclusion in all_excluded if exclusion.unproven)
    )


def describe_blocked(all_excluded: list[Exclusion]) -> list[RunBlocked]:
    rows: dict[tuple[str, ...], RunBlocked] = {}
    for exclusion in (excluded for excluded in all_excluded if not excluded.unproven):
        row = RunBlocked(
            **_shared_fields(exclusion), countries=list(exclusion.verdict.countries), clause=exclusion.verdict.clause
        )
        rows.setdefault((row.offer, row.material, row.end_use, row.demand_material, row.rule), row)
    return list(rows.values())


def _shared_fields(excluded: Exclusion) -> dict[str, str]:
    offer, verdict = excluded.arc.chained, excluded.verdict
    fields = {"offer": offer.offer.id, "material": offer.material.id, "end_use": excluded.use.end_use}
    fields |= {"demand_material": excluded.use.material.id, "rule": verdict.rule, "stage": verdict.stage}
    return {**fields, "reason": verdict.reason}


def describe_limits(verified: VerifiedPlan) -> list[RunLimit]:
    compact = SharedValues().record
    return [
        compact(
            RunLimit(
                rule=reading.rule.id,
                label=reading.row.label,
                sentence=reading.row.sentence,
                value=exact(reading.value),
                at_least=exact(reading.row.at_least) if reading.row.at_least is not None else None,
                at_most=exact(reading.row.at_most) if reading.row.at_most is not None else None,
                missed_by=exact(reading.miss) if reading.miss > reading.tolerance else Decimal(0),
                penalty=exact(reading.miss * reading.row.penalty) if reading.row.penalty is not None else Decimal(0),
                unit=unit_of(reading.row, verified.problem.case.currency),
            )
        )
        for reading in verified.readings
    ]


def verdicts(verified: VerifiedPlan) -> list[RunVerdict]:
    label = verified.problem.case.horizon.label
    days: dict[int, str] = {}
    rows = []
    for item, rulings in groupby(verified.rulings, key=attrgetter("item")):
        bought = (
            item.name,
            item.material,
            item.place,
            item.compliance_class,
            label(item.ordered),
            label(item.delivered),
        )
        for ruling in rulings:
            verdict, use = ruling.verdict, ruling.use
            days_text = days.get(id(ruling.days)) or days.setdefault(id(ruling.days), str(ruling.days))
            countries = "; ".join(verdict.countries)
            columns = verdict.result.value, verdict.stage, countries, verdict.clause, days_text, verdict.reason
            rows.append(RunVerdict(*bought, use.material.id, use.end_use, ruling.rule, *columns))
    return sorted(
        rows, key=attrgetter("offer", "material", "place", "ordered", "compliance_class", "rule", "days", "end_use")
    )


NO_DUTY = "no duty charged"
"""Subject of assumptions about goods without a duty in any rule in use. They are shown above the mix."""
HIGHEST_DUTY = "highest duty charged"
"""Subject of assumptions about offers whose duty depends on an unknown customs origin. They are shown above the mix."""
DUTY_ON_FEE = "duty on the fee alone"
"""Subject of the assumptions about makers whose duty leaves out the value of their inputs."""


def describe_duties(verified: VerifiedPlan) -> list[RunAssumption]:
    problem = verified.problem
    arcs = list({item.arc.index: item.arc for item in verified.ledger.bought if item.arc.offer >= 0}.values())
    no_duty, highest = goods_without_duty(problem, arcs), offers_of_unknown_origin(problem, arcs)
    return [
        *(RunAssumption(subject=NO_DUTY, text=no_duty[name], code=codes.NO_DUTY, short=name) for name in no_duty),
        *(
            RunAssumption(subject=HIGHEST_DUTY, text=highest[name], code=codes.HIGHEST_DUTY, short=name)
            for name in highest
        ),
    ]


def duties_on_inputs(verified: VerifiedPlan, inputs: Sequence[Fraction]) -> list[Decimal]:
    """Return the duty on the inputs of each purchase, which tariffs on the price of processing leave out. `inputs` is their cash."""
    charges = verified.costing.charges
    tariffs = {rule.id for rule in charges.rules if isinstance(rule, Tariff)}
    duties, none = [], Decimal(0)
    for line, cash in zip(verified.lines, inputs, strict=True):
        arc, t = line.arc, line.ordered
        missing = none
        if cash and line.quantity and tariffs:
            value = charges.value(arc, t)
            value_with_inputs = value + as_decimal(cash / Fraction(line.quantity))
            for use in verified.costing.uses(arc, line.compliance_class):
                charged, due = (charges.parts_at(arc, use, t, worth) for worth in (value, value_with_inputs))
                missing = max(
                    missing, _sum(due.get(rule, Decimal(0)) - charged.get(rule, Decimal(0)) for rule in tariffs)
                )
        duties.append(exact(missing * line.quantity) if missing else missing)
    return duties


def describe_duties_on_inputs(bought: Iterable[RunPurchase], currency: str) -> list[RunAssumption]:
    purchases_by_offer = grouped((purchase.offer, purchase) for purchase in bought if purchase.duty_on_inputs)
    return [
        RunAssumption(
            subject=DUTY_ON_FEE,
            text=f"{offer}: customs adds the value of the inputs that the buyer supplies, {_sum(p.inputs_cost for p in purchases):,.0f} {currency} in "
            f"this plan. The duty would be {_sum(p.duty_on_inputs for p in purchases):,.0f} {currency} higher than charged here",
            code=codes.DUTY_ON_FEE,
        )
        for offer, purchases in sorted(purchases_by_offer.items())
    ]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def goods_without_duty(problem: Problem, arcs: Iterable[Arc]) -> dict[str, str]:
    """Return the materials that enter a customs territory without a stated duty, each with the assumption."""
    tariffs = _tariffs_in_force(problem)
    entering = grouped((arc.chained.material.id, arc) for arc in arcs)
    texts = {}
    for name, moves in sorted(entering.items()):
        material = moves[0].chained.material
        crossed = [[rule for rule in tariffs if _enters(arc, rule)] for arc in moves]
        if any(rules and not any(_states_duty_on(rule, material) for rule in rules) for rules in crossed):
            line = (
                f"no rule in use names its tariff line, {material.hs}"
                if material.hs
                else "it has no tariff line (`hs`)"
            )
            texts[name] = f"{name}: {line}. No such duty is charged, but one may be due"
    return texts


def suggest_duties(problem: Problem) -> Iterator[Diagnostic]:
    offered = [arc for arc in problem.network.arcs if arc.offer >= 0]
    for name, text in goods_without_duty(problem, offered).items():
        line = problem.merged.materials[name].hs
        first = "check the line" if line else "give its line in `hs` of materials.csv"
        fix = f"{first}; add a pack, or a [[rule]] of kind `tariff`, that names the line"
        yield Diagnostic(text, column="materials.hs", found=line, fix=fix, code="FS804")


def offers_of_unknown_origin(problem: Problem, arcs: Iterable[Arc]) -> dict[str, str]:
    """Return the offers whose duty depends on an unknown customs origin, each with the assumption and how to settle it."""
    span, statuses = problem.case.horizon.span, problem.law.statuses
    charging = [rule for rule in problem.rules if "charge" in rule.verbs and rule.applies(span, statuses)]
    texts = {}
    for arc in arcs:
        if is_origin_unknown(arc.chained) and any(_charges_by_origin(arc, rule) for rule in charging):
            offer = arc.chained.offer.id
            countries = "/".join(sorted(arc.chained.last_countries[0]))
            possible = f"it may be {countries} or elsewhere" if countries else "no source states it"
            texts[offer] = (
                f"{offer}: its customs origin is not known ({possible}). It is charged the highest duty for any country. "
                "Ask the supplier where it was last processed, and state `customs_origin` of the offer"
            )
    return dict(sorted(texts.items()))


def _tariffs_in_force(problem: Problem) -> list[Tariff]:
    span, statuses = problem.case.horizon.span, problem.law.statuses
    return [rule for rule in problem.rules if isinstance(rule, Tariff) and rule.applies(span, statuses)]


def _charges_by_origin(arc: Arc, rule: Rule) -> bool:
    """Return False if a rule charges nothing on a move, or the same for every origin."""
    if isinstance(rule, Tariff) and not (_enters(arc, rule) and (rule.rate or rule.specific)):
        return False
    return rule.charges_on(arc.chained.material) and (rule.charged_origins is None or any(rule.charged_origins))


def _enters(arc: Arc, rule: Tariff) -> bool:
    return arc.move.origin.country not in rule.territory and arc.move.to.country in rule.territory


def _states_duty_on(rule: Tariff, material: Material) -> bool:
    """Return True if a tariff covers a material by its line or name, or covers all goods. A tag or an element alone isn't a tariff line."""
    return any(
        (part.hs or part.materials or not rule.selects) and Selector.covers(part, material)
        for part in (rule, *rule.also)
    )


def idle_limits(problem: Problem) -> Iterator[tuple[Rule, str]]:
    """Yield every rule in force that requires something that the case doesn't have, with a sentence. A cap on nothing is left out."""
    limiting = {rule.id for rule, _ in problem.limit_rows}
    for rule in problem.rules:
        if rule.id not in limiting and _requires_something(rule) and _in_force(problem, rule):
            basis = "bought today" if isinstance(rule, MaxChurn) else "demanded"
            later = " later" if isinstance(rule, Cover) else ""
            yield rule, f"rule `{rule.id}` limits nothing: it covers nothing that is {basis}{later}"
    for rule, groups in _shares_of_nothing(problem):
        if rule.id in limiting:
            capped = isinstance(rule, MaxShare) and rule.counts == "bought"
            effect = "nothing that it caps may be bought" if capped else "it requires nothing"
            subject = f"rule `{rule.id}` limits a share of the demand for {listed(groups)}"
            yield rule, f"{subject}, but the case demands none, so {effect}"


def _shares_of_nothing(problem: Problem) -> Iterator[tuple[Rule, list[str]]]:
    for rule in problem.rules:
        is_share = isinstance(rule, MaxShare | MinShare) and rule.of == "demand"
        if not (is_share or isinstance(rule, MinSuppliers)):
            continue
        assert isinstance(rule, MaxShare | MinShare | MinSuppliers)
        periods = [period.index for period in _in_force(problem, rule)]
        facts = problem.facts.within(frozenset(periods), rule.dated_by)
        groups = [name for name, part in rule.groups(facts) if not rule.demanded(part, name, periods)]
        if periods and groups:
            yield rule, groups


def _requires_something(rule: Rule) -> bool:
    if isinstance(rule, StockLevel):
        return bool(rule.exactly or rule.at_least)
    return isinstance(rule, Cover | MaxChurn | MinDelivered | MinShare | MinSuppliers)


def _in_force(problem: Problem, rule: Rule) -> list[Period]:
    return [p for p in problem.case.horizon.periods if rule.applies(p.span, problem.law.statuses)]
