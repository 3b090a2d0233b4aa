"""The question `screen`: listed parties behind the facilities of a case, and the cost of a plan without them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass
from friendshore.domain.case import Case
from friendshore.domain.time import today
from friendshore.errors import InputError
from friendshore.questions import Opened, Progress, Question, Setting
from friendshore.questions.wording import first_few
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.session import Session

from .lists import ScreeningList
from .matching import ListHit, Party, decision_rows
from .names import Band, Bands
from .ownership import OwnerStanding
from .prohibitions import Consequences, ListLaw, OwnedBy, Prohibition, is_listed_party, rules_of
from .screened_case import NAME_A_LIST, PLUGIN, ScreenedCase, ScreeningSettings, unscreened

if TYPE_CHECKING:
    from friendshore.document.elements import Document


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list that was used."""

    file: str
    format: str
    edition: date
    entries: int
    age: int
    old: bool
    """True if it is older than the case allows."""


@dataclass(frozen=True, slots=True)
class AtStake:
    """Purchases of a plan from some facilities."""

    kilograms: Mapping[str, Decimal]
    money: Decimal
    """Price, charges, and freight, not discounted."""


@dataclass(frozen=True, slots=True)
class PlanWithout:
    """The plan without prohibited facilities."""

    threshold: float | None
    """Minimum score of names that count as listed. None means by bands and decisions."""
    facilities: tuple[str, ...]
    same: bool
    """True if the current plan buys nothing from them while they are prohibited."""
    spent: Decimal
    rise: Decimal
    """Rise of the objective, including priced shortage."""
    short: Mapping[str, Decimal]
    """Material -> additional kilograms short."""
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Screening:
    """Answer to `screen`."""

    case: str
    currency: str
    bands: Bands
    lists: tuple[ListRead, ...]
    parties: int
    facilities: int
    hits: tuple[ListHit, ...]
    at_stake: Mapping[str, AtStake]
    """Party -> purchases from the facilities behind it."""
    consequences: Consequences
    laws: tuple[ListLaw, ...]
    spent: Decimal
    without: PlanWithout
    with_reviews: PlanWithout | None
    """Plan as if all names under review were listed. None if there are none, or if it changes nothing."""
    steps: tuple[PlanWithout, ...] = ()
    notes: tuple[str, ...] = ()

    def hits_in(self, band: Band) -> tuple[ListHit, ...]:
        return tuple(hit for hit in self.hits if hit.band is band)

    def to_dict(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "currency": self.currency,
            "match": self.bands.match,
            "review": self.bands.review,
            "lists": [
                {"file": item.file, "format": item.format, "edition": item.edition.isoformat(), "entries": item.entries,
                 "age": item.age, "old": item.old}
                for item in self.lists
            ],
            "parties": self.parties,
            "hits": [self._hit(hit) for hit in self.hits],
            "prohibitions": [_prohibition_data(each) for each in self.consequences.prohibitions],
            "possible_prohibitions": [_prohibition_data(each) for each in self.consequences.possible],
            "owned": [_owned_data(item) for item in self.consequences.owned],
            "owners_unknown": list(self.consequences.unknown),
            "spent": float(self.spent),
            "without": _without_data(self.without),
            "with_reviews": None if self.with_reviews is None else _without_data(self.with_reviews),
            "steps": [_without_data(step) for step in self.steps],
            "notes": list(self.notes),
        }  # fmt: skip

    def _hit(self, hit: ListHit) -> dict[str, Any]:
        stakes = self.at_stake.get(hit.party.name)
        return {
            "party": hit.party.name,
            "roles": list(hit.party.roles),
            "facilities": list(hit.party.behind),
            "list": hit.entry.list,
            "entry": hit.entry.id,
            "name": hit.entry.name,
            "listed_as": hit.listed_as,
            "programs": list(hit.entry.programs),
            "countries": list(hit.entry.countries),
            "file": hit.file,
            "edition": hit.edition.isoformat(),
            "content": hit.entry.digest,
            "band": hit.band.value,
            "score": hit.score,
            "why": hit.why,
            "decision": None if hit.decision is None else hit.decision.model_dump(mode="json"),
            "lapsed": None if hit.lapsed is None else hit.lapsed.model_dump(mode="json"),
            "kilograms": {} if stakes is None else {name: float(kg) for name, kg in stakes.kilograms.items()},
            "money": 0.0 if stakes is None else float(stakes.money),
        }


def _prohibition_data(prohibition: Prohibition) -> dict[str, Any]:
    phases = [phase.model_dump(mode="json", by_alias=True) for phase in prohibition.phases]
    return {
        "law": prohibition.law.id, "list": prohibition.law.list, "citation": prohibition.law.citation, "source": prohibition.law.source,
        "facilities": list(prohibition.facilities), "by": [prohibition.company], "why": prohibition.why, "end_uses": list(prohibition.law.end_uses), "phases": phases,
    }  # fmt: skip


def _owned_data(result: OwnedBy) -> dict[str, Any]:
    return {
        "company": result.company, "list": result.law.list, "rule": result.law.ownership, "status": result.law.status(result.start), "standing": result.finding.standing.value,
        "min_share": str(result.finding.min_share), "max_share": str(result.finding.max_share), "through": list(result.finding.through),
        "from": result.start.isoformat(), "facilities": list(result.facilities),
    }  # fmt: skip


def _without_data(plan: PlanWithout) -> dict[str, Any]:
    return {
        "threshold": plan.threshold, "facilities": list(plan.facilities), "unchanged": plan.same, "spent": float(plan.spent),
        "rise": float(plan.rise), "short_kg": {name: float(kg) for name, kg in plan.short.items()}, "conflict": plan.conflict,
    }  # fmt: skip


MAX_MATERIALS = 2
MAX_COMPANIES = 6


def screening_document(result: Screening, top: int) -> doc.Document:
    return doc.document(
        f"{result.case}: screening",
        _headline(result),
        _hits_section("Matches", result, result.hits_in(Band.MATCH), top),
        _plans_section(result) if result.lists else None,
        _hits_section("Names to review", result, result.hits_in(Band.REVIEW), top),
        _owned_section(result),
        _decisions_section(result),
        _law_section(result),
        _lists_section(result) if result.lists else None,
        doc.section_if_any("Notes", doc.notes([*_unknown_owners(result), *result.notes])),
    )


def _headline(result: Screening) -> doc.Element:
    if not result.lists:
        return doc.sentence("No company was screened.", tone=doc.Tone.DOUBTFUL)
    matches, reviews = ({hit.party.name for hit in result.hits_in(band)} for band in (Band.MATCH, Band.REVIEW))
    tone = doc.Tone.BAD if matches else doc.Tone.DOUBTFUL if reviews else doc.Tone.GOOD
    matched = f"Of {result.parties} names behind {count(result.facilities, 'facility', 'facilities')}, {len(matches)} match a listed name, and "
    return doc.sentence(matched + f"{len(reviews - matches)} need a review", tone=tone, strong=True)


def _hits_section(title: str, result: Screening, hits: Sequence[ListHit], top: int) -> doc.Section | None:
    if not hits:
        return None
    columns = [doc.Column("Name"), doc.Column("On list", whole=True), doc.Column("As"), doc.figures("Score")]
    columns += [doc.Column("Why"), doc.Column("At stake")]
    shown_hits = hits[: top or None]
    rows = [
        [
            f"{hit.party.name} ({', '.join(hit.party.roles)})",
            f"{hit.entry.list} {hit.entry.id}"[:40],
            hit.listed_as if hit.listed_as == hit.entry.name else f"{hit.listed_as} (alias of {hit.entry.name})",
            f"{hit.score:.2f}",
            _why(hit),
            _stakes(result, hit),
        ]
        for hit in shown_hits
    ]
    others = len(hits) - len(shown_hits)
    return doc.section(title, doc.table(columns, rows), doc.notes([f"{others} more: --top 0"] if others else []))


def _why(hit: ListHit) -> str:
    entry_countries = [country for country in hit.entry.countries if len(country) == len("US")]
    differ = entry_countries and hit.party.countries and not set(entry_countries) & set(hit.party.countries)
    note = (
        f"; listed in {', '.join(entry_countries[:3])}, in the case {', '.join(hit.party.countries[:3])}"
        if differ
        else ""
    )
    return f"{hit.why}{note}"


def _stakes(result: Screening, hit: ListHit) -> str:
    stakes = result.at_stake[hit.party.name]
    if not stakes.kilograms:
        return "no purchases"
    return f"{_masses(stakes.kilograms)}; {large_money(stakes.money, result.currency)}"


def _masses(kilograms: Mapping[str, Decimal]) -> str:
    by_mass = sorted(kilograms.items(), key=lambda pair: (-pair[1], pair[0]))
    return first_few([f"{material} {mass(kg)}" for material, kg in by_mass], MAX_MATERIALS)


def _decisions_section(result: Screening) -> doc.Section | None:
    decided = [hit for hit in result.hits if hit.decision is not None]
    columns = [
        doc.Column("Name"),
        doc.Column("Entry"),
        doc.Column("Decision"),
        doc.Column("By", whole=True),
        doc.Column("Why"),
    ]
    rows = [
        [hit.party.name, f"{hit.entry.list} {hit.entry.id}", hit.decision.decision, f"{hit.decision.by}, {hit.decision.day}", hit.decision.reason]
        for hit in decided
        if hit.decision is not None
    ]  # fmt: skip
    return doc.section("Decisions", doc.table(columns, rows)) if rows else None


def _law_section(result: Screening) -> doc.Section | None:
    lists = list(dict.fromkeys(hit.entry.list for hit in result.hits))
    laws_by_list: dict[str, list[ListLaw]] = {
        listed: [law for law in result.laws if law.list == listed] for listed in lists
    }
    columns = [
        doc.Column("List", whole=True),
        doc.Column("Prohibits"),
        doc.Column("For"),
        doc.Column("Dates"),
        doc.Column("Clause"),
    ]
    rows: list[list[doc.Cell]] = []
    for listed, laws in laws_by_list.items():
        for law in laws:
            prohibition = law.title if law.id else f"no purchases ({law.says})"
            scope = (
                f"{', '.join(law.buyers) or 'all'} buyers, {', '.join(law.end_uses) or 'all'} uses"
                if law.id
                else doc.NOTHING
            )
            dates = _phases(law.phases)
            rows.append(
                [
                    listed,
                    prohibition,
                    scope,
                    dates if law.id or not dates else f"companies that they own: {dates}",
                    law.citation,
                ]
            )
        if not laws:
            rows.append([listed, "unknown", doc.NOTHING, doc.NOTHING, doc.NOTHING])
    return doc.section("What the lists prohibit", doc.table(columns, rows)) if rows else None


def _phases(phases: Sequence[Phase]) -> str:
    texts = []
    for phase in phases:
        days = " ".join(
            filter(None, (f"from {phase.start}" if phase.start else "", f"until {phase.end}" if phase.end else ""))
        )
        status = "" if phase.status.value == "enacted" else f" ({phase.status.value})"
        texts.append(f"{days or 'always'}{status}")
    return "; ".join(texts)


def _owned_section(result: Screening) -> doc.Section | None:
    results = [
        owned_by for owned_by in result.consequences.owned if owned_by.finding.standing is not OwnerStanding.CLEAR
    ]
    columns = [
        doc.Column("Company"),
        doc.Column("Rule"),
        doc.Column("Share of listed parties"),
        doc.Column("Through"),
        doc.Column("Result", whole=True),
    ]
    rows = []
    for owned_by in results:
        min_share, max_share = float(owned_by.finding.min_share), float(owned_by.finding.max_share)
        share = f"{min_share:.1%}" if min_share == max_share else f"{min_share:.1%} to {max_share:.1%}"
        rows.append(
            [
                owned_by.company,
                _ownership_rule(owned_by),
                share,
                ", ".join(owned_by.finding.through),
                owned_by.finding.standing.value,
            ]
        )
    return doc.section("Owned by listed parties, or possibly owned", doc.table(columns, rows)) if rows else None


def _ownership_rule(result: OwnedBy) -> str:
    status = result.law.status(result.start) or "not in force"
    note = "" if status == "enacted" else f", {status} on {result.start}"
    return f"{result.law.list} {result.law.ownership}{note}"


def _plans_section(result: Screening) -> doc.Section:
    lines = [("matches excluded", result.without)]
    if result.with_reviews is not None:
        lines.append(("names under review excluded too", result.with_reviews))
    columns = [
        doc.Column("Plan"),
        doc.figures("Facilities excluded"),
        doc.Column("Added cost", result.currency, "right"),
        doc.Column("Added shortage"),
    ]
    rows = [
        [label, str(len(plan.facilities)), _rise(plan), _masses(plan.short) if plan.short else doc.NOTHING]
        for label, plan in lines
    ]
    rows += [
        [
            f"names with a score of {step.threshold:.2f} or more excluded",
            str(len(step.facilities)),
            _rise(step),
            _masses(step.short) if step.short else doc.NOTHING,
        ]
        for step in result.steps
        if step.threshold is not None
    ]
    summary = f"The current plan spends {large_money(result.spent, result.currency)} in cash. Added cost is the present value of spend and penalty."
    return doc.section("Plans without them", doc.sentence(summary), doc.table(columns, rows))


def _rise(plan: PlanWithout) -> doc.Cell:
    if plan.conflict:
        return "rules conflict"
    return doc.Amount(plan.rise, form="signed") if plan.rise else "none"


def _lists_section(result: Screening) -> doc.Section:
    columns = [
        doc.Column("File"),
        doc.Column("Format", whole=True),
        doc.Column("Edition", whole=True),
        doc.figures("Entries"),
        doc.Column("Age"),
    ]
    rows = [
        [read.file, read.format, read.edition.isoformat(), f"{read.entries:,}", _age(read.age) + (", older than allowed" if read.old else "")]
        for read in result.lists
    ]  # fmt: skip
    return doc.section("Screened against", doc.table(columns, rows))


def _age(days: int) -> str:
    return "after today" if days < 0 else count(days, "day")


def _unknown_owners(result: Screening) -> Iterator[str]:
    law_notes = {
        owned.law.note for owned in result.consequences.owned if owned.finding.standing is OwnerStanding.UNPROVEN
    }
    yield from sorted(law_notes - {""})
    unknown = result.consequences.unknown
    if unknown:
        shown = "; ".join(unknown[:MAX_COMPANIES]) + (
            f"; {len(unknown) - MAX_COMPANIES} more" if len(unknown) > MAX_COMPANIES else ""
        )
        yield f"not proved to have no listed owners, because the owners of {count(len(unknown), 'company', 'companies')} aren't fully known: {shown}"


@dataclass(frozen=True)
class ScreenOptions:
    """Options of `screen`."""

    steps: Annotated[int, Setting("Maximum number of score thresholds, each with its own plan.", "N", least=0)] = 6
    draft: Annotated[bool, Setting("Print rows for the decision table, for all names without a decision.")] = False
    top: Annotated[int, Setting("Names shown as matches and as reviews. 0 means all.", "N", least=0)] = 15


class ScreenQuestion(Question[ScreenOptions, Screening]):
    """Companies behind the facilities of a case that are on sanction or denial lists, with the reason, the prohibitions, and the cost of a plan without them.

    The case names lists, owners, decisions, and thresholds under [plugin.friendshore-screening]. With --strict, a list that is older than the case
    allows is an error.
    """

    name = "screen"
    options = ScreenOptions
    doing = "planning without"
    counted = "thresholds"

    def ask(self, opened: Opened, options: ScreenOptions, progress: Progress | None) -> Screening:
        settings: ScreeningSettings = opened.settings(PLUGIN)
        session = opened.session
        case = session.problem.case
        if opened.strict and not settings.lists:
            raise InputError("the case names no list to screen against", fix=NAME_A_LIST, code="FS945")
        folder = _folder(settings, case.folder)
        screened = ScreenedCase.of(settings, lambda _: folder, opened.catalogs, case)
        hits, bands = screened.hits, Bands(settings.match, settings.review)
        places = frozenset(demand.use.place.country for demand in session.problem.demands)
        labels = {list_file.label for list_file in settings.lists}
        plans = _Plans.of(session, {name for name, pack in opened.pack_of.items() if pack in labels})
        effects_for_all, effects = screened.consequences(), screened.consequences(places)
        without = plans.without(effects, None, (*effects_for_all.prohibitions, *effects_for_all.possible))
        undecided = [hit for hit in hits if hit.decision is None or is_listed_party(hit, None)]
        with_reviews_effects = screened.consequences(places, bands.review, undecided)
        with_reviews = (
            plans.without(with_reviews_effects, None)
            if with_reviews_effects.prohibitions != effects.prohibitions
            else None
        )
        steps: list[PlanWithout] = []
        for threshold in _thresholds(hits)[: options.steps] if with_reviews_effects.prohibitions else []:
            if session.stopped:
                break
            at_threshold = screened.consequences(places, threshold, undecided)
            if not steps or steps[-1].facilities != tuple(sorted(at_threshold.facilities)):
                steps.append(plans.without(at_threshold, threshold))
            if progress is not None:
                progress(len(steps), options.steps, 0.0)
        return Screening(
            case.name, case.currency, bands, tuple(_lists_read(settings, screened.lists)), len(screened.parties), len({facility.id for facility in screened.facilities}), hits,
            {hit.party.name: _at_stake(hit.party, plans.purchases) for hit in hits}, effects, screened.laws, plans.free.verified.cost.nominal,
            without, with_reviews, tuple(steps), tuple(_notes(settings, screened, case)),
        )  # fmt: skip

    def document(self, result: Screening, options: ScreenOptions) -> Document:
        return screening_document(result, options.top)

    def text(self, result: Screening, options: ScreenOptions) -> str | None:
        if not options.draft:
            return None
        return decision_rows([(hit.party.name, hit.entry) for hit in result.hits if hit.decision is None])


def _folder(settings: ScreeningSettings, folder: Path | None) -> Path:
    """Return the folder of the files that the case names. A run, or a case made in memory, has none."""
    files = [list_file.file for list_file in settings.lists] + [settings.owners, settings.decisions]
    if folder is None and any(name and not Path(name).is_absolute() for name in files):
        message, fix = (
            "a run, or a case made in memory, has no folder with lists",
            "screen the case file instead of the run",
        )
        raise InputError(message, fix=fix, code="FS949")
    return folder or Path()


def _days_since(edition: date) -> int:
    return (today() - edition).days


def _lists_read(settings: ScreeningSettings, lists: Iterable[ScreeningList]) -> Iterator[ListRead]:
    for screening_list in lists:
        age = _days_since(screening_list.edition)
        yield ListRead(
            screening_list.file,
            screening_list.format,
            screening_list.edition,
            len(screening_list.entries),
            age,
            age > settings.oldest,
        )


def _purchases_by_facility(session: Session) -> Mapping[str, AtStake]:
    facility_of_offer = {facts.offer.id: facts.facility.id for facts in session.problem.offers}
    kilograms: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    money: dict[str, Decimal] = defaultdict(Decimal)
    for line in session.verified.lines:
        kilograms[facility_of_offer[line.name]][line.material] += line.quantity
        money[facility_of_offer[line.name]] += line.total
    return {facility: AtStake(dict(by_material), money[facility]) for facility, by_material in kilograms.items()}


def _at_stake(party: Party, purchases: Mapping[str, AtStake]) -> AtStake:
    kilograms: dict[str, Decimal] = defaultdict(Decimal)
    for facility in party.behind:
        for material, kg in purchases[facility].kilograms.items() if facility in purchases else ():
            kilograms[material] += kg
    return AtStake(
        dict(kilograms),
        sum((purchases[facility].money for facility in party.behind if facility in purchases), Decimal(0)),
    )


def _thresholds(hits: Iterable[ListHit]) -> list[float]:
    return sorted({hit.score for hit in hits if hit.decision is None}, reverse=True)


@dataclass(frozen=True, slots=True)
class _Plans:
    """Plans of a case with and without the prohibitions of its lists."""

    original: Session
    list_rules: Mapping[str, Rule]
    free: Session
    purchases: Mapping[str, AtStake]
    """Facility -> purchases in the plan without these rules."""

    @classmethod
    def of(cls, session: Session, names: Collection[str]) -> _Plans:
        """Return the plans of a case. `names` are ids of rules that may follow from its lists."""
        list_rules = {rule.id: rule for rule in session.problem.rules if rule.id in names}
        law, span = session.problem.law, session.problem.case.horizon.span
        has_no_effect = not any(rule.applies(span, law.statuses) for rule in list_rules.values())
        free = session if has_no_effect else _planned(session, list_rules, ())
        return cls(session, list_rules, free, _purchases_by_facility(free))

    def without(
        self, effects: Consequences, threshold: float | None, in_case: Iterable[Prohibition] = ()
    ) -> PlanWithout:
        """Return the plan under the resulting rules. If the rules of the case are those of `in_case`, its own plan is used."""
        excluded = tuple(sorted(effects.facilities))
        before = self.free.verified
        if not set(excluded) & self.purchases.keys():
            return PlanWithout(threshold, excluded, True, before.cost.nominal, Decimal(0), {})
        rules_in_case = {name: rule for name, (_, rule) in rules_of(in_case).items()}
        after = self.original
        enforces_unknown = PhaseStatus.UNKNOWN in self.original.problem.law.statuses
        if not rules_in_case or rules_in_case != self.list_rules or enforces_unknown:
            after = _planned(
                self.original, self.list_rules, tuple(rule for _, rule in rules_of(effects.prohibitions).values())
            )
        short, short_before = _shortage_by_material(after), _shortage_by_material(self.free)
        added_shortage = {name: kg - short_before.get(name, Decimal(0)) for name, kg in short.items()}
        rise = after.verified.cost.rise_from(before.cost).objective
        is_same = after.verified.cost.objective == before.cost.objective
        conflict = len(after.verified.plan.infeasible) > len(before.plan.infeasible)
        return PlanWithout(
            threshold, excluded, is_same and not conflict, after.verified.cost.nominal, rise, {k: v for k, v in sorted(added_shortage.items()) if v > 0}, conflict
        )  # fmt: skip


def _planned(session: Session, removed: Collection[str], rules: tuple[Rule, ...]) -> Session:
    inputs = session.inputs.freeze(session.problem)
    remaining = tuple(rule for rule in inputs.rules if rule.id not in removed)
    return Session.open(
        replace(inputs, rules=(*remaining, *rules)), session.limits, None, session.cancel, session.answers
    )


def _shortage_by_material(session: Session) -> dict[str, Decimal]:
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    kilograms: dict[str, Decimal] = defaultdict(Decimal)
    for short in session.verified.plan.shorts:
        kilograms[material[short.demand]] += short.quantity
    return kilograms


def _notes(settings: ScreeningSettings, screened: ScreenedCase, case: Case) -> Iterator[str]:
    if not settings.lists:
        yield f"the case names no list, so no company was screened: {NAME_A_LIST}"
    for screening_list in screened.lists:
        if _days_since(screening_list.edition) > settings.oldest:
            age = _days_since(screening_list.edition)
            yield f"`{screening_list.file}` is {age} days old ({screening_list.edition}), and the case allows {settings.oldest}"
        if screening_list.note:
            yield f"{screening_list.file}: {screening_list.note}"
    yield from (text for _, text in screened.lapsed)
    yield from unscreened(case)
    compared = {(hit.party.name, hit.entry.list, hit.entry.id) for hit in screened.hits}
    for decision in screened.decisions:
        if (decision.party, decision.list, decision.entry) not in compared:
            subject = f"{decision.party} and entry {decision.entry} of {decision.list}"
            yield f"the decision of {decision.by} on {subject} has no effect: the names aren't similar, or one of them is gone"
    files = Counter(
        name for screening_list in screened.lists for name in {entry.list for entry in screening_list.entries}
    )
    in_several_files = sorted(name for name, times in files.items() if times > 1)
    if in_several_files:
        yield f"{', '.join(in_several_files)} is in several files, and a decision applies to the entry of only one file"
