"""Checks of the names in a case, and assumptions about what it accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product

from ..catalog import twins, united
from ..domain.case import CAPACITY_COUNTS, Accept, Assume, Case
from ..domain.countries import country_names, is_country, local_country_words, without_accents
from ..domain.facts import Catalog, Offer
from ..domain.suggest import closest, did_you_mean, nearest
from ..domain.time import Span
from ..domain.use import Use
from ..domain.values import intended_end_use
from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..rules.base import PhaseStatus, Rule, misfits
from ..rules.kinds import Exclude, OriginBan
from ..rules.kinds.limits import StockLevel
from ..rules.kinds.shared import is_party
from .demands import Demand, demand_name
from .law import Law
from .merged import Merged
from .network import Network
from .offers import Assumption, OfferFacts
from .problem import unknown_names

ACCEPTED = "accepted"
"""Subject of assumptions that widen the accepted facts or narrow the applied rules. They are listed above the mix."""
COUNTED_TWICE = "counted twice"
"""Subject of assumptions about two facilities that may be one. They are listed above the mix."""
UNEXAMINED = "looked at by no rule of origin"
"""Subject of goods whose origin no rule checks, for defense or another end use that origin rules name. They are listed first."""
NOT_ASKED = "origin not asked about"
"""Subject of assumptions about goods for which a law asks more than chains record. They are on the first screen, because the rule checks only part."""

_NOTHING_WANTED = Diagnostic(
    "the case wants nothing",
    column="demand",
    expected="at least one [[demand]] here, or a row of the table that [use] names",
    fix='say what is wanted, for which end use, and how much; a table beside the case counts if [use] has demand = "demand.csv"',
)


def check_names(case: Case, merged: Merged, rules: Sequence[Rule]) -> None:
    """Reject unknown or ambiguous names in the case, and a case without demands.

    Raises:
        InputError: With every problem.
    """
    known = {rule.id: rule for rule in rules}
    ids = [rule.id for rule in rules]
    troubles = [] if case.demands else [_NOTHING_WANTED]
    troubles += [
        Diagnostic(f"two rules are called `{name}`", fix="rename one of them", column="rule.id", found=name)
        for name in sorted({i for i in ids if ids.count(i) > 1})
    ]
    statuses = [status.value for status in PhaseStatus]
    troubles += _unknown("offer", (one.id for one in case.assume.offer), "assume.offer.id", merged.offers)
    troubles += _unknown("offer", (one.offer for one in case.incumbents), "incumbent.offer", merged.offers)
    troubles += _unknown("material", (one.material for one in case.stores), "store.material", merged.materials)
    troubles += _unknown("status of a rule", case.accept.rule_status, "accept.rule_status", statuses)
    troubles += _places(case, merged)
    troubles += _unknown("rule", (one.rule for one in case.carryovers), "carryover.rule", known)
    troubles += _licences(case, merged, known)
    troubles += _waivers(case, known)
    troubles += _unknown("offer", case.accept.proven, "accept.proven", merged.offers)
    troubles += unknown_names(case, merged)
    troubles += _priority(case)
    if troubles:
        raise InputError(troubles)


def _priority(case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each end use that the priority order repeats, or that has no demand. The default order needs no demand."""
    wanted = {demand.end_use for demand in case.demands}
    order = case.assume.priority
    for name in dict.fromkeys(order):
        if order.count(name) > 1:
            yield Diagnostic(
                f"the end use `{name}` stands twice in the order of priority",
                column="assume.priority",
                found=name,
                fix="leave one of the two out",
            )
        if name not in wanted and order != Assume().priority:
            yield unknown_name("end use", name, "assume.priority", wanted)


def _places(case: Case, merged: Merged) -> Iterator[Diagnostic]:
    """Yield an error for each unknown place. A misspelled country would be a separate country that no rule names."""
    named = [("case.place", case.place)]
    named += [("demand.place", demand.place) for demand in case.demands]
    named += [("stock.place", stock.place) for stock in case.stocks]
    named += [("order.place", order.place) for order in case.orders]
    named += [("store.place", store.place) for store in case.stores]
    for column, name in dict.fromkeys(named):
        if name and not merged.is_place(name):
            yield Diagnostic(
                f"unknown place `{name}`",
                column=column,
                found=name,
                expected="a country by its ISO 3166 code or English name, or the site of a facility",
                fix=_meant_place(name, merged),
            )


def country_in_english(name: str) -> str:
    """Return a suggestion of the country with this name in another language, or an empty string."""
    code = local_country_words().get(without_accents(name))
    return "" if code is None else f"did you mean `{country_names()[code]}`?"


def _meant_place(name: str, merged: Merged) -> str:
    translated = country_in_english(name)
    if translated:
        return translated
    sites = {site: site for site in merged.places}
    words = sites | {country: country for country in country_names().values()}
    near = nearest(name, words)
    return f"did you mean `{near}`?" if near else "add the catalog that holds the facility, or name the country"


def _licences(case: Case, merged: Merged, rules: dict[str, Rule]) -> Iterator[Diagnostic]:
    exporters = {*merged.facilities, *(facility.country for facility in merged.facilities.values())}
    for licence in case.licences:
        rule = rules.get(licence.rule)
        if rule is None:
            yield unknown_name("rule", licence.rule, "licence.rule", rules)
        elif rule.bears_on != "trade":
            yield Diagnostic(
                f"`{licence.rule}` is no export control: no export licence answers it",
                column="licence.rule",
                found=licence.rule,
                fix="record a [[waiver]], or name the export control",
            )
        if licence.exporter and licence.exporter not in exporters and not is_country(licence.exporter):
            yield unknown_name("facility or country", licence.exporter, "licence.exporter", exporters)


def _waivers(case: Case, rules: dict[str, Rule]) -> Iterator[Diagnostic]:
    wanted = {demand.material for demand in case.demands}
    wanted |= {demand_name(demand, case) for demand in case.demands}
    for waiver in case.waivers:
        rule = rules.get(waiver.rule)
        if rule is None:
            yield unknown_name("rule", waiver.rule, "waiver.rule", rules)
        elif rule.bears_on == "trade":
            yield Diagnostic(
                f"`{waiver.rule}` is an export control: its own government licenses it, the buyer cannot waive it",
                column="waiver.rule",
                fix="record a [[licence]] instead",
            )
        else:
            yield from misfits(waiver, rule.waivers)
        if waiver.demand and waiver.demand not in wanted:
            yield Diagnostic(
                f"the waiver is for `{waiver.demand}`, which the case does not want",
                column="waiver.demand",
                found=waiver.demand,
                expected="a demand or a demanded material of the case",
                fix=did_you_mean(waiver.demand, wanted),
            )


def _unknown(what: str, names: Iterable[str], column: str, known: Collection[str]) -> list[Diagnostic]:
    return [unknown_name(what, name, column, known) for name in names if name not in known]


def unknown_name(what: str, name: str, column: str, known: Collection[str]) -> Diagnostic:
    """Return the error for an unknown name."""
    return Diagnostic(
        f"unknown {what} `{name}`",
        column=column,
        found=name,
        expected=f"{'an' if what[0] in 'aeiou' else 'a'} {what} of the case's catalogs and packs",
        fix=closest(name, known),
    )


def carryover_assumptions(case: Case) -> list[Assumption]:
    """Return the assumptions about amounts before the plan that limits count, as stated in the case."""
    rules = Counter(one.rule for one in case.carryovers)
    return [
        Assumption(rule, f"counts what was used before {case.horizon.start} in {count} of its amounts ([[carryover]])")
        for rule, count in sorted(rules.items())
    ]


def accepted(case: Case, rules: Sequence[Rule]) -> list[Assumption]:
    """Return assumptions for the settings of [accept] that differ from the defaults, and for a case without rules on origin or exports."""
    accept, usual = case.accept, Accept()
    texts = []
    if accept.unproven:
        texts.append(
            "what is not proved is let pass as if it were: unproven origins, and exports for want of a licence"
        )
    texts += [f"what is not proved of `{offer}` is taken as proved" for offer in accept.proven]
    if set(accept.rule_status) != set(usual.rule_status):
        held, wider = " or ".join(sorted(accept.rule_status)) or "nothing", "enacted" in accept.rule_status
        narrow = f"enacted law does not apply: only what is {held} does"
        texts.append(f"rules apply where they are {held}, not just enacted" if wider else narrow)
    if accept.confidence is not usual.confidence:
        texts.append(f"evidence counts from `{accept.confidence}` on, of origins too")
    for status, share in sorted(accept.capacity.items()):
        if share > CAPACITY_COUNTS[status]:
            texts.append(f"{(share * 100).normalize():f} % of `{status}` capacity counts")
    if not any("judge" in rule.verbs for rule in rules):
        texts.append("no rule of origin and no export control is in use: nothing is kept out")
    return [Assumption(ACCEPTED, text) for text in texts]


def renamed(case: Case) -> list[Assumption]:
    """Return an assumption for each outdated name in the case, its rules, or its bills that was replaced by the current one."""
    return [Assumption("renamed", alias.told) for alias in case.followed]


def overlap_assumptions(case: Case, catalogs: Sequence[Catalog], reached: Iterable[Offer]) -> list[Assumption]:
    """Return assumptions about facilities that several catalogs describe: those that the case merges, and lookalikes that both count.

    Facilities without `reached` offers are left out, since they can't deliver anything in demand.
    """
    at = {offer.facility for offer in reached}
    found = []
    for overlap in case.overlaps:
        if overlap.keep.partition(":")[2] in at:
            others = " and ".join(f"`{name}`" for name in overlap.dropped)
            theirs = "offers of all draw on it" if overlap.offers == "all" else "its offers alone count"
            why = f" ({overlap.why})" if overlap.why else ""
            text = f"{others} is taken to be `{overlap.keep}`, whose record and capacity count; {theirs}{why}"
            found.append(Assumption("overlap", text))
    for pair in twins(united(catalogs, case.overlaps), case.overlaps):
        if pair.first.id in at and pair.second.id in at:
            first, second = pair.names
            text = (
                f"`{first}` and `{second}` count as two facilities, though {pair.why}; [[overlap]] would make them one"
            )
            found.append(Assumption(COUNTED_TWICE, text))
    return found


def end_use_assumptions(case: Case, rules: Sequence[Rule]) -> list[Assumption]:
    """Return an assumption for each end use of the case that no rule names, if rules name others. Those rules don't apply to it."""
    return [Assumption(ACCEPTED, told.message) for told in end_uses(case, rules)]


def end_uses(case: Case, rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each end use that no rule names, with the one that was probably meant, like `defense` for `defense-spares`."""
    named = frozenset[str]().union(*(getattr(rule, "end_uses", ()) for rule in rules))
    own = sorted({demand.end_use for demand in case.demands} - named - {"civil"}) if named else ()
    words = " or ".join(sorted(named))
    for use in own:
        meant = intended_end_use(use, named)
        yield Diagnostic(
            f"no rule names the end use `{use}`: rules for {words} use do not bear on it",
            column="demand.end_use",
            found=use,
            fix=f"did you mean `{meant}`? If not, let a rule name `{use}` in its `end_uses`" if meant else "",
        )


def origin_rules(demand: Demand, law: Law) -> list[str]:
    """Return the origin rules that check a demand: in force in a period with demand, and about its material, end use, and buyer.

    Exclusions by name and bans that ask for no proof don't count, because they don't check the origin of other goods.
    """
    return origin_rules_of(demand.use, [p.span for p in law.case.horizon.periods if demand.quantity[p.index]], law)


def origin_rules_of(use: Use, spans: Sequence[Span], law: Law) -> list[str]:
    """Return the origin rules that check a use in any of some spans. See `origin_rules`."""
    found = []
    for position, rule in enumerate(law.rules):
        if not rule.phases or "judge" not in rule.verbs or rule.bears_on != "chain":
            continue
        if isinstance(rule, Exclude) or (isinstance(rule, OriginBan) and not rule.asks_proof):
            continue
        with attributed(rule):
            if any(law.in_force(position, span) for span in spans) and rule.concerns(use):
                found.append(rule.id)
    return found


def unexamined(demands: Sequence[Demand], law: Law) -> list[Assumption]:
    """Return assumptions about goods that no origin rule checks on any day, for defense or another end use that origin rules name.

    Such goods pass wherever they come from. A reader must not take that for proof that they are lawful.
    """
    named = {"defense"}.union(*(getattr(r, "end_uses", ()) for r in law.rules if r.bears_on == "chain"))
    open_to_all: dict[str, dict[str, None]] = {}
    for demand in demands:
        if demand.use.end_use in named and any(demand.quantity) and not origin_rules(demand, law):
            open_to_all.setdefault(demand.use.end_use, {})[demand.use.material.id] = None
    return [
        Assumption(
            UNEXAMINED,
            f"for {use}: {', '.join(materials)}. No rule in use asks where {'it comes' if len(materials) == 1 else 'they come'} from: "
            "any origin passes, and nothing here finds it lawful",
        )
        for use, materials in sorted(open_to_all.items())
    ]


def incomplete_law_assumptions(demands: Sequence[Demand], law: Law) -> list[Assumption]:
    """Return an assumption for each origin rule that applies to a demand but checks only part of its law."""
    gaps = {rule.id: rule for rule in law.rules if isinstance(rule, OriginBan) and rule.not_asked}
    covered: dict[str, dict[str, None]] = {}
    for demand in demands:
        for name in origin_rules(demand, law) if gaps and any(demand.quantity) else ():
            if name in gaps:
                covered.setdefault(name, {})[demand.use.material.id] = None
    return [
        Assumption(
            NOT_ASKED,
            f"{gaps[name].not_asked} ({', '.join(materials)}). {gaps[name].citation} asks it, and no chain records it: `{name}` finds only part of it lawful",
        )
        for name, materials in sorted(covered.items())
    ]


def check_stock_floors(case: Case, merged: Merged, network: Network, law: Law) -> None:
    """Reject stock floors for a material or place that nothing in the case needs, since nothing could be bought for that stock.

    Raises:
        InputError: With all of them.
    """
    found = []
    for rule in law.rules:
        floor = isinstance(rule, StockLevel) and bool(rule.exactly or rule.at_least)
        if not floor or not rule.applies(case.horizon.span, law.statuses):
            continue
        assert isinstance(rule, StockLevel)
        nodes = [(name, place) for name, place in network.nodes if rule.covers(merged.materials[name])]
        for material, place in product(sorted(rule.materials) or [""], rule.places or [""]):
            if (material or place) and not any(material in ("", m) and place in ("", p) for m, p in nodes):
                what = f"{material or rule.subject()}{f' at {place}' if place else ''}"
                found.append(
                    Diagnostic(
                        f"rule `{rule.id}` asks for stock of {what}, which nothing in this case needs, so that none can be bought",
                        column=f"rule `{rule.id}`",
                        found=what,
                        expected="a material and place that some demand needs",
                        fix="add a [[demand]] for it, or take it out of the rule",
                    )
                )
    if found:
        raise InputError(found)


def siteless_buyer_assumptions(offers: Sequence[OfferFacts], rules: Sequence[Rule]) -> list[Assumption]:
    """Return assumptions about plants without their own place, of parties that a rule on moves names. The rule can't identify goods for them."""
    found: dict[str, Assumption] = {}
    for rule in rules:
        buyers = getattr(rule, "buyers", ())
        if not buyers or rule.bears_on != "trade":
            continue
        for facts in offers:
            facility = facts.facility
            nameless = bool(facts.offer.inputs) and facts.place == facility.country
            if nameless and is_party(facility.supplier, buyers):
                text = (
                    f"`{rule.id}` names {facility.supplier}, whose plant `{facility.id}` has no `place` of its own in its "
                    "catalog: the rule does not bear on what is bought for it"
                )
                found[text] = Assumption(ACCEPTED, text)
    return list(found.values())
