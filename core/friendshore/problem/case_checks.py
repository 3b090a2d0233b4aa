"""Checks of the names in a case, and assumptions about what it accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product

from ..catalog import likely_duplicates, merge_facilities
from ..domain import assumption_codes as codes
from ..domain.case import CAPACITY_COUNTS, Accept, Assume, Case
from ..domain.countries import country_names, is_country, local_country_words, without_accents
from ..domain.facts import Catalog, Offer
from ..domain.suggest import closest, did_you_mean, nearest
from ..domain.time import Span
from ..domain.use import Use
from ..domain.values import LEGAL_END_USES, intended_end_use
from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..rules.base import PhaseStatus, Rule, waiver_problems
from ..rules.kinds import Exclude, OriginBan
from ..rules.kinds.limits import StockLevel
from ..rules.kinds.shared import is_party
from .demands import Demand, demand_name
from .law import Law
from .merged import Merged
from .network import Network
from .offers import Assumption, OfferFacts
from .problem import unknown_names

# Subjects of assumptions that reports list before the mix.
ACCEPTED = "accepted"
COUNTED_TWICE = "counted twice"
UNEXAMINED = "looked at by no rule of origin"
NOT_ASKED = "origin not asked about"

PLACE = "a country by its ISO 3166 code or English name, or the site of a facility"
# Similarity from which a word is a misspelled place, so that `camden` isn't Cameroon.
_SIMILAR_PLACE = 0.8

_NO_DEMAND = Diagnostic(
    "the case has no demand",
    column="demand",
    expected="at least one [[demand]], or a row of the table that [use] names",
    fix='add a [[demand]] with material, end use, and quantity, or write demand = "demand.csv" under [use]',
    code="FS240",
)


def check_names(case: Case, merged: Merged, rules: Sequence[Rule]) -> None:
    """Reject unknown or duplicate names in the case, and a case without demands."""
    rule_by_id = {rule.id: rule for rule in rules}
    ids = [rule.id for rule in rules]
    problems = [] if case.demands else [_NO_DEMAND]
    problems += [
        Diagnostic(
            f"two rules have the id `{name}`", fix="rename one of them", column="rule.id", found=name, code="FS243"
        )
        for name in sorted({i for i in ids if ids.count(i) > 1})
    ]
    statuses = [status.value for status in PhaseStatus]
    problems += _unknown("offer", (entry.id for entry in case.assume.offer), "assume.offer.id", merged.offers)
    problems += _unknown("offer", (entry.offer for entry in case.incumbents), "incumbent.offer", merged.offers)
    problems += _unknown("material", (entry.material for entry in case.stores), "store.material", merged.materials)
    problems += _unknown("rule status", case.accept.rule_status, "accept.rule_status", statuses)
    problems += _places(case, merged)
    problems += _unknown("rule", (entry.rule for entry in case.carryovers), "carryover.rule", rule_by_id)
    problems += _licenses(case, merged, rule_by_id)
    problems += _waivers(case, rule_by_id)
    problems += _unknown("offer", case.accept.proven, "accept.proven", merged.offers)
    problems += unknown_names(case, merged)
    problems += _priority(case)
    if problems:
        raise InputError(problems)


def _priority(case: Case) -> Iterator[Diagnostic]:
    end_uses = {demand.end_use for demand in case.demands}
    priority = case.assume.priority
    for name in dict.fromkeys(priority):
        if priority.count(name) > 1:
            yield Diagnostic(
                f"end use `{name}` is listed more than once in the priority order",
                column="assume.priority",
                found=name,
                fix="remove the duplicate",
                code="FS243",
            )
        if name not in end_uses and priority != Assume().priority:
            yield unknown_name("end use", name, "assume.priority", end_uses)


def _places(case: Case, merged: Merged) -> Iterator[Diagnostic]:
    """Yield an error for each unknown place, since a misspelled country would escape every rule."""
    places = [("case.place", case.place)]
    places += [("demand.place", demand.place) for demand in case.demands]
    places += [("stock.place", stock.place) for stock in case.stocks]
    places += [("order.place", order.place) for order in case.orders]
    places += [("store.place", store.place) for store in case.stores]
    for column, name in dict.fromkeys(places):
        if name and not merged.is_place(name):
            yield Diagnostic(
                f"unknown place `{name}`",
                column=column,
                found=name,
                expected=PLACE,
                fix=place_suggestion(name, merged.places, merged.facilities),
                code="FS242",
            )


def place_suggestion(name: str, sites: Iterable[str], facilities: Collection[str]) -> str:
    """Return the site or country that was probably meant, also of a country's name in another language, and how to declare a site."""
    code = local_country_words().get(without_accents(name))
    match = country_names()[code] if code else nearest(name, [*sites, *country_names().values()], _SIMILAR_PLACE)
    site = f"add a row with `{name}` as `id` and `place`, and its `country`, to facilities.csv of a catalog of the case"
    if name in facilities:
        site = f"write `{name}` as `place` in its row of facilities.csv"
    likely = f"did you mean `{match}`? If not, {site}" if match else site
    return f"{likely}. A site for deliveries needs no capacity and no offers"


def _licenses(case: Case, merged: Merged, rule_by_id: dict[str, Rule]) -> Iterator[Diagnostic]:
    exporters = {*merged.facilities, *(facility.country for facility in merged.facilities.values())}
    for license in case.licenses:
        rule = rule_by_id.get(license.rule)
        if rule is None:
            yield unknown_name("rule", license.rule, "license.rule", rule_by_id)
        elif rule.judge_scope != "trade":
            yield Diagnostic(
                f"rule `{license.rule}` isn't an export control, so no export license applies to it",
                column="license.rule",
                found=license.rule,
                fix="write a [[waiver]] instead, or name an export control",
                code="FS244",
            )
        if license.exporter and license.exporter not in exporters and not is_country(license.exporter):
            yield unknown_name("facility or country", license.exporter, "license.exporter", exporters)


def _waivers(case: Case, rule_by_id: dict[str, Rule]) -> Iterator[Diagnostic]:
    demand_names = {demand.material for demand in case.demands}
    demand_names |= {demand_name(demand, case) for demand in case.demands}
    for waiver in case.waivers:
        rule = rule_by_id.get(waiver.rule)
        if rule is None:
            yield unknown_name("rule", waiver.rule, "waiver.rule", rule_by_id)
        elif rule.judge_scope == "trade":
            yield Diagnostic(
                f"rule `{waiver.rule}` is an export control, which only the exporting country can license",
                column="waiver.rule",
                fix="write a [[license]] instead",
                code="FS244",
            )
        else:
            yield from waiver_problems(waiver, rule.waivers)
        if waiver.demand and waiver.demand not in demand_names:
            yield Diagnostic(
                f"the waiver is for `{waiver.demand}`, which isn't in demand",
                column="waiver.demand",
                found=waiver.demand,
                expected="a demand of the case, or the material of one",
                fix=did_you_mean(waiver.demand, demand_names),
                code="FS241",
            )


def _unknown(kind: str, names: Iterable[str], column: str, valid_names: Collection[str]) -> list[Diagnostic]:
    return [unknown_name(kind, name, column, valid_names) for name in names if name not in valid_names]


def unknown_name(kind: str, name: str, column: str, valid_names: Collection[str]) -> Diagnostic:
    return Diagnostic(
        f"unknown {kind} `{name}`",
        column=column,
        found=name,
        expected=f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of the case's catalogs and packs",
        fix=closest(name, valid_names),
        code="FS241",
    )


def carryover_assumptions(case: Case) -> list[Assumption]:
    entries_by_rule = Counter(carryover.rule for carryover in case.carryovers)
    return [
        Assumption(
            rule,
            f"includes use before {case.horizon.start} in {entries} of its amounts ([[carryover]])",
            codes.CARRYOVER,
        )
        for rule, entries in sorted(entries_by_rule.items())
    ]


def acceptance_assumptions(case: Case, rules: Sequence[Rule]) -> list[Assumption]:
    """Return assumptions for the settings of [accept] that differ from the defaults, and for a case without rules on origin or exports."""
    accept, defaults = case.accept, Accept()
    texts = []
    if accept.unproven:
        texts.append("unproven origins, and exports without a required license")
    texts += [f"everything unproven about `{offer}`" for offer in accept.proven]
    if set(accept.rule_status) != set(defaults.rule_status):
        statuses, is_wider = " or ".join(sorted(accept.rule_status)) or "nothing", "enacted" in accept.rule_status
        narrower = f"enacted law doesn't apply, only law that is {statuses}"
        texts.append(f"rules apply if they are {statuses}, not only if enacted" if is_wider else narrower)
    if accept.confidence is not defaults.confidence:
        texts.append(f"evidence rated `{accept.confidence}` or better, also for origins")
    for status, share in sorted(accept.capacity.items()):
        if share > CAPACITY_COUNTS[status]:
            texts.append(f"{(share * 100).normalize():f}% of `{status}` capacity counts")
    if not any("judge" in rule.verbs for rule in rules):
        texts.append("no origin rule and no export control is in use, so no offer is excluded")
    return [Assumption(ACCEPTED, text, codes.ACCEPTED) for text in texts]


def renaming_assumptions(case: Case) -> list[Assumption]:
    return [Assumption("renamed", alias.text, codes.RENAMED) for alias in case.followed]


def overlap_assumptions(case: Case, catalogs: Sequence[Catalog], reached: Iterable[Offer]) -> list[Assumption]:
    """Return assumptions about facilities with `reached` offers that several catalogs describe: merged ones, and lookalikes that both count."""
    facility_ids = {offer.facility for offer in reached}
    assumptions = []
    for overlap in case.overlaps:
        if overlap.keep.partition(":")[2] in facility_ids:
            others = " and ".join(f"`{name}`" for name in overlap.dropped)
            effect = "the offers of all use its capacity" if overlap.offers == "all" else "only its own offers count"
            reason = f" ({overlap.why})" if overlap.why else ""
            text = f"{others} is assumed to be `{overlap.keep}`, whose record and capacity count; {effect}{reason}"
            assumptions.append(Assumption("overlap", text, codes.OVERLAP))
    for pair in likely_duplicates(merge_facilities(catalogs, case.overlaps), case.overlaps):
        if pair.first.id in facility_ids and pair.second.id in facility_ids:
            first, second = pair.names
            text = f"`{first}` and `{second}` count as two facilities, although {pair.why}; merge them with [[overlap]] if they are one"
            assumptions.append(Assumption(COUNTED_TWICE, text, codes.COUNTED_TWICE))
    return assumptions


def end_use_assumptions(case: Case, rules: Sequence[Rule]) -> list[Assumption]:
    named_uses = _named_end_uses(rules)
    other_uses = sorted({demand.end_use for demand in case.demands} - named_uses - {"civil"}) if named_uses else ()
    effect = f"so rules for {' or '.join(sorted(named_uses))} use don't apply to it"
    return [Assumption(ACCEPTED, f"no rule names the end use `{use}`, {effect}", codes.ACCEPTED) for use in other_uses]


def _named_end_uses(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset[str]().union(*(getattr(rule, "end_uses", ()) for rule in rules))


def end_use_problems(uses: Iterable[tuple[str, str]], case: Case, rules: Iterable[Rule]) -> Iterator[Diagnostic]:
    """Yield an error for each column and end use that is unknown, since a misspelled end use would escape every rule for the intended one.

    Known are `defense`, `civil`, end uses of rules, and those that the case declares.
    """
    known_uses = {*LEGAL_END_USES, *_named_end_uses(rules), *case.accept.end_uses}
    for column, use in dict.fromkeys(uses):
        if use in known_uses:
            continue
        suggestion = intended_end_use(use, known_uses)
        declaration = f'add "{use}" to `end_uses` under [accept] if no rule for another end use applies to it'
        yield Diagnostic(
            f"unknown end use `{use}`: no rule for defense, civil, or another end use would apply to it",
            column=column,
            found=use,
            expected="one of " + ", ".join(f"`{known_use}`" for known_use in sorted(known_uses)),
            fix=f"did you mean `{suggestion}`? If not, {declaration}" if suggestion else declaration,
            code="FS246",
        )


def origin_rules(demand: Demand, law: Law) -> list[str]:
    """Return the origin rules in force that check a demand in some period with demand. Exclusions by name and bans that ask for no proof don't count."""
    return origin_rules_of(demand.use, [p.span for p in law.case.horizon.periods if demand.quantity[p.index]], law)


def origin_rules_of(use: Use, spans: Sequence[Span], law: Law) -> list[str]:
    rule_ids = []
    for position, rule in enumerate(law.rules):
        if not rule.phases or "judge" not in rule.verbs or rule.judge_scope != "chain":
            continue
        if isinstance(rule, Exclude) or (isinstance(rule, OriginBan) and not rule.asks_proof):
            continue
        with attributed(rule):
            if any(law.in_force(position, span) for span in spans) and rule.concerns(use):
                rule_ids.append(rule.id)
    return rule_ids


# Such goods pass wherever they come from. A reader must not take that for proof that they are lawful.
def unexamined_assumptions(demands: Sequence[Demand], law: Law) -> list[Assumption]:
    """Return assumptions about goods whose origin no rule checks, for defense or another end use that origin rules name."""
    checked_uses = {"defense"}.union(*(getattr(r, "end_uses", ()) for r in law.rules if r.judge_scope == "chain"))
    materials_by_use: dict[str, dict[str, None]] = {}
    for demand in demands:
        if demand.use.end_use in checked_uses and any(demand.quantity) and not origin_rules(demand, law):
            materials_by_use.setdefault(demand.use.end_use, {})[demand.use.material.id] = None
    return [
        Assumption(
            UNEXAMINED,
            f"{goods}. Any origin passes, because no rule in use checks where "
            f"{'it comes' if len(materials) == 1 else 'they come'} from. This doesn't mean that every origin is lawful",
            codes.UNEXAMINED,
            short=goods,
        )
        for use, materials in sorted(materials_by_use.items())
        for goods in [f"for {use}: {', '.join(materials)}"]
    ]


def incomplete_law_assumptions(demands: Sequence[Demand], law: Law) -> list[Assumption]:
    """Return an assumption for each origin rule that applies to a demand but checks only part of its law."""
    incomplete_rules = {rule.id: rule for rule in law.rules if isinstance(rule, OriginBan) and rule.not_asked}
    materials_by_rule: dict[str, dict[str, None]] = {}
    for demand in demands:
        for name in origin_rules(demand, law) if incomplete_rules and any(demand.quantity) else ():
            if name in incomplete_rules:
                materials_by_rule.setdefault(name, {})[demand.use.material.id] = None
    return [
        Assumption(
            NOT_ASKED,
            f"{gap}. {incomplete_rules[name].citation} requires it, but chains don't record it, so `{name}` checks only part of the law",
            codes.NOT_ASKED,
            short=gap,
        )
        for name, materials in sorted(materials_by_rule.items())
        for gap in [f"{incomplete_rules[name].not_asked} ({', '.join(materials)})"]
    ]


def check_stock_floors(case: Case, merged: Merged, network: Network, law: Law) -> None:
    """Reject stock floors that no demand needs, since nothing could be bought for that stock."""
    problems = []
    for rule in law.rules:
        is_floor = isinstance(rule, StockLevel) and bool(rule.exactly or rule.at_least)
        if not is_floor or not rule.applies(case.horizon.span, law.statuses):
            continue
        assert isinstance(rule, StockLevel)
        nodes = [(name, place) for name, place in network.nodes if rule.covers(merged.materials[name])]
        for material, place in product(sorted(rule.materials) or [""], rule.places or [""]):
            if (material or place) and not any(material in ("", m) and place in ("", p) for m, p in nodes):
                stock = f"{material or rule.subject()}{f' at {place}' if place else ''}"
                problems.append(
                    Diagnostic(
                        f"rule `{rule.id}` requires stock of {stock}, which no demand needs, so nothing can be bought for it",
                        column=f"rule `{rule.id}`",
                        found=stock,
                        expected="a material and place that some demand needs",
                        fix="add a [[demand]] for it, or remove it from the rule",
                        code="FS247",
                    )
                )
    if problems:
        raise InputError(problems)


def siteless_buyer_assumptions(offers: Sequence[OfferFacts], rules: Sequence[Rule]) -> list[Assumption]:
    """Return assumptions about plants without their own place whose company a rule on moves names. The rule can't identify goods for them."""
    assumption_by_text: dict[str, Assumption] = {}
    for rule in rules:
        buyers = getattr(rule, "buyers", ())
        if not buyers or rule.judge_scope != "trade":
            continue
        for facts in offers:
            facility = facts.facility
            has_no_site = bool(facts.offer.inputs) and facts.place == facility.country
            if has_no_site and is_party(facility.supplier, buyers):
                text = (
                    f"`{rule.id}` names {facility.supplier}, but doesn't apply to purchases for its plant `{facility.id}`, "
                    "which has no `place` of its own in its catalog"
                )
                assumption_by_text[text] = Assumption(ACCEPTED, text, codes.ACCEPTED)
    return list(assumption_by_text.values())
