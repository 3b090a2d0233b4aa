"""What of the law is not known: origins that are not proved, licences that nobody has, rules of which nobody knows whether they hold."""

from __future__ import annotations

from collections.abc import Iterator

from friendshore.domain.base import grouped
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Offer
from friendshore.explain.eligibility import Eligibilities, KeptOut
from friendshore.plugins import sentence_of
from friendshore.recommend.duties import goods_without_duty, offers_of_unknown_origin
from friendshore.rules.base import Phase, PhaseStatus, Rule

from .drafts import NOT_KNOWN, Doubts, Draft, Try
from .records import EvidenceToday, Unasked, UnknownKind


def origins(doubts: Doubts) -> Iterator[Draft]:
    """Offers that are kept out of some use only because an origin is not proved, then those that a licence would let in."""
    out = Eligibilities(doubts.session.problem).out
    for _, kept in sorted(out.items()):
        unproven = [one for one in kept if one.unproven and not one.verdict.licence]
        if unproven:
            yield _origin(doubts, unproven)
    licensed = grouped(
        ((one.verdict.rule, one.arc.chained.facility.id), one)
        for kept in out.values()
        for one in kept
        if one.verdict.licence
    )
    for (rule, facility), some in sorted(licensed.items()):
        yield _licence(doubts, rule, facility, some)


def _uses(kept: list[KeptOut]) -> str:
    return ", ".join(sorted({f"{one.use.end_use} {one.use.material.id}" for one in kept}))


def _origin(doubts: Doubts, kept: list[KeptOut]) -> Draft:
    offer = kept[0].arc.chained.offer
    stages = sorted({one.verdict.stage for one in kept} - {""})
    rules = sorted({one.verdict.rule for one in kept})
    what = (
        f"Where is {doubts.named(offer)} {' and '.join(stages)}"
        if stages
        else f"Where does {doubts.named(offer)} come from"
    )
    return doubts.draft(
        UnknownKind.ORIGIN,
        offer,
        f"{what}, and what proves it? {', '.join(rules)} asks, for {_uses(kept)}.",
        _stated_origin(doubts, offer, stages),
        "every stage that is not proved turns out to be what the rules ask for; if not, the plan stays what it is",
        (Try("it is proved", (Change(prove=offer.id),), bound=True),),
    )


def _stated_origin(doubts: Doubts, offer: Offer, stages: list[str]) -> EvidenceToday:
    """The best evidence of the stages that are asked about."""
    entries = [
        entry for entry in offer.chain if not stages or entry.main_stage.value in stages or entry.stage in stages
    ]
    if not entries:
        return NOT_KNOWN
    merged = doubts.session.problem.merged
    best = max(entries, key=lambda entry: merged.confidence(entry.source).rank)
    where = "/".join(sorted(best.countries)) or "no country"
    return doubts.known(best.source, f"{best.stage} {where}{'' if best.complete else ', maybe elsewhere'}: ")


def _licence(doubts: Doubts, name: str, facility: str, kept: list[KeptOut]) -> Draft:
    problem = doubts.session.problem
    rule = next(one for one in problem.rules if one.id == name)
    plant = problem.merged.facilities[facility]
    materials = sorted({line.material for one in kept for line in one.arc.chained.offer.outputs})
    return Draft(
        kind=UnknownKind.LICENCE,
        subject=f"{name} for {facility}",
        material=", ".join(materials),
        question=f"Is {' and '.join(materials)} of {plant.name or facility} licensed under {name} ({_title(rule)}), for {_uses(kept)}?",
        whom=f"{plant.supplier}, and whoever licenses under {rule.citation or name}",
        country=plant.country,
        known=NOT_KNOWN,
        taken="a licence without a limit for all of the plan; if there is none, the plan stays what it is",
        tries=(Try("it is licensed", (Change(grant=name, of=facility),), bound=True),),
    )


def assumed_licences(doubts: Doubts) -> Iterator[Draft]:
    """End uses for which the case takes licences as granted, where a rule asks for any."""
    problem = doubts.session.problem
    asking = sorted(rule.id for rule in problem.rules if rule.bears_on == "trade")
    for use in sorted(problem.case.assume.licence) if asking else ():
        materials = sorted({demand.use.material.id for demand in problem.demands if demand.use.end_use == use})
        yield Draft(
            kind=UnknownKind.LICENCE,
            subject=f"{use}, taken as granted",
            material="",
            question=f"Is all that is exported for {use} use licensed, as the case takes it: {', '.join(materials)}, and what goes into them?",
            whom=f"suppliers, and whoever licenses under {', '.join(asking)}",
            country="",
            known=EvidenceToday(reference="the case assumes it", date=None, confidence=Confidence.ASSUMED.value),
            taken="today's plan takes every licence as granted; if none is, only licences in hand count",
            tries=(Try("none is granted", (Change(revoke=use),), bound=True),),
        )


def rules(doubts: Doubts) -> Iterator[Draft]:
    """Rules with a phase of unknown status within the plan, in order of ids."""
    problem = doubts.session.problem
    span = problem.case.horizon.span
    for rule in sorted(problem.rules, key=lambda one: one.id):
        open_ = [p for p in rule.phases if p.status is PhaseStatus.UNKNOWN and p.span.meets(span)]
        if open_:
            yield _rule(doubts, rule, open_)


def _rule(doubts: Doubts, rule: Rule, phases: list[Phase]) -> Draft:
    enforced = PhaseStatus.UNKNOWN in doubts.session.problem.law.statuses
    verb, answer = ("disable", "it does not hold") if enforced else ("enable", "it holds")
    changes = tuple(Change.model_validate({verb: rule.id, "from": one.start, "until": one.end}) for one in phases)
    since = f" from {phases[0].start} on" if phases[0].start else ""
    note = " ".join(one.note for one in phases if one.note) or rule.source
    taken = "today's plan enforces it" if enforced else "today's plan takes it not to hold"
    return Draft(
        kind=UnknownKind.RULE,
        subject=rule.id,
        material="",
        question=f"Does {rule.id} ({_title(rule)}) hold{since}?",
        whom=f"whoever made it: {rule.citation or rule.source or rule.id}",
        country="",
        known=EvidenceToday(reference=note, date=None, confidence="unknown" if note else ""),
        taken=taken,
        tries=(Try(answer, changes, bound=True),),
    )


def _title(rule: Rule) -> str:
    return sentence_of(rule).rstrip(".")


def duties(doubts: Doubts) -> Iterator[Unasked]:
    """Yield the goods that may be bought and whose tariff line or customs origin is not known; no rate of duty is known to try."""
    problem = doubts.session.problem
    arcs = [arc for arc in problem.network.arcs if arc.offer >= 0]
    for material, text in goods_without_duty(problem, arcs).items():
        yield Unasked(
            subject=material, why=f"duty: {_about(text, material)}. Ask a customs broker for the line and its rate"
        )
    for offer, text in offers_of_unknown_origin(problem, arcs).items():
        yield Unasked(subject=offer, why=f"duty: {_about(text, offer)}. Ask the supplier where it was last worked")


def _about(text: str, subject: str) -> str:
    return text.removeprefix(f"{subject}: ")
