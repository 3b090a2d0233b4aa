"""The question `screen`: listed parties behind the facilities of a case, certain or possible, and the cost of a plan without them."""

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
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.session import Session

from .barred import Consequences, ListBar, ListLaw, OwnedBy, counts, rules_of
from .lists import ScreeningList
from .matching import ListHit, Party, draft
from .names import Band, Bands
from .ownership import OwnerStanding
from .screened import NAME_A_LIST, PLUGIN, ScreenedCase, ScreeningSettings, unscreened

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
    """Days since the edition."""
    old: bool
    """True if it is older than the case allows."""


@dataclass(frozen=True, slots=True)
class AtStake:
    """Purchases of a plan from some facilities."""

    kilograms: Mapping[str, Decimal]
    """Material -> kilograms bought."""
    money: Decimal
    """Price, charges, and freight, not discounted."""


@dataclass(frozen=True, slots=True)
class PlanWithout:
    """The plan without prohibited facilities."""

    threshold: float | None
    """Minimum score of names that count as the listed ones. None means as the bands and decisions say."""
    facilities: tuple[str, ...]
    """Prohibited facilities."""
    same: bool
    """True if it is the plan as it is, which buys nothing from them on days on which they are prohibited."""
    spent: Decimal
    """Cash spent."""
    rise: Decimal
    """Rise of the objective, including priced shortage."""
    short: Mapping[str, Decimal]
    """Material -> additional kilograms short."""
    conflict: bool = False
    """True if the rules of the case conflict with it."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Answer to the question."""

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
    """Laws of the lists with matches."""
    spent: Decimal
    """Cash of the plan as it is."""
    without: PlanWithout
    with_reviews: PlanWithout | None
    """Plan as if all matches under review were the listed ones. None if there are none, or if it changes nothing."""
    steps: tuple[PlanWithout, ...] = ()
    """Plans by threshold, the highest first."""
    notes: tuple[str, ...] = ()

    def of(self, band: Band) -> tuple[ListHit, ...]:
        """Return the hits of a band."""
        return tuple(hit for hit in self.hits if hit.band is band)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "case": self.case,
            "currency": self.currency,
            "match": self.bands.match,
            "review": self.bands.review,
            "lists": [
                {"file": one.file, "format": one.format, "edition": one.edition.isoformat(), "entries": one.entries,
                 "age": one.age, "old": one.old}
                for one in self.lists
            ],
            "parties": self.parties,
            "hits": [self._hit(hit) for hit in self.hits],
            "bars": [_bar(bar) for bar in self.consequences.bars],
            "doubts": [_bar(bar) for bar in self.consequences.doubts],
            "owned": [_owned_data(one) for one in self.consequences.owned],
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


def _bar(bar: ListBar) -> dict[str, Any]:
    phases = [phase.model_dump(mode="json", by_alias=True) for phase in bar.phases]
    return {
        "law": bar.law.id, "list": bar.law.list, "citation": bar.law.citation, "source": bar.law.source,
        "facilities": list(bar.facilities), "by": [bar.company], "why": bar.why, "end_uses": list(bar.law.end_uses), "phases": phases,
    }  # fmt: skip


def _owned_data(one: OwnedBy) -> dict[str, Any]:
    return {
        "company": one.company, "list": one.law.list, "rule": one.law.ownership, "status": one.law.status(one.start), "standing": one.finding.standing.value,
        "least": str(one.finding.least), "most": str(one.finding.most), "through": list(one.finding.through),
        "from": one.start.isoformat(), "facilities": list(one.facilities),
    }  # fmt: skip


def _without_data(plan: PlanWithout) -> dict[str, Any]:
    return {
        "threshold": plan.threshold, "facilities": list(plan.facilities), "same": plan.same, "spent": float(plan.spent),
        "rise": float(plan.rise), "short_kg": {name: float(kg) for name, kg in plan.short.items()}, "conflict": plan.conflict,
    }  # fmt: skip


MATERIALS = 2
UNKNOWN = 6
"""Maximum number of named companies without known owners."""


def screening_document(found: Screening, top: int) -> doc.Document:
    """Return matches, reviews, and decisions, the prohibitions that follow, and the plan without them by threshold."""
    return doc.document(
        f"{found.case}: screening",
        _headline(found),
        _hits("Matches", found, found.of(Band.MATCH), top),
        _without(found) if found.lists else None,
        _hits("To be looked at", found, found.of(Band.REVIEW), top),
        _owned(found),
        _decided(found),
        _law(found),
        _lists(found) if found.lists else None,
        doc.section_if_any("To be known", doc.notes([*_unknown(found), *found.notes])),
    )


def _headline(found: Screening) -> doc.Element:
    if not found.lists:
        return doc.sentence("Nobody was screened: the case names no list", tone=doc.Tone.DOUBTFUL, strong=True)
    matches, reviews = ({hit.party.name for hit in found.of(band)} for band in (Band.MATCH, Band.REVIEW))
    tone = doc.Tone.BAD if matches else doc.Tone.DOUBTFUL if reviews else doc.Tone.GOOD
    told = f"Of {found.parties} names behind {count(found.facilities, 'facility', 'facilities')}, {len(matches)} match a listed name, and "
    return doc.sentence(told + f"{len(reviews - matches)} are to be looked at", tone=tone, strong=True)


def _hits(title: str, found: Screening, hits: Sequence[ListHit], top: int) -> doc.Section | None:
    if not hits:
        return None
    columns = [doc.Column("Name"), doc.Column("On list", whole=True), doc.Column("As"), doc.figures("Score")]
    columns += [doc.Column("Why"), doc.Column("At stake")]
    shown = hits[: top or None]
    rows = [
        [
            f"{hit.party.name} ({', '.join(hit.party.roles)})",
            f"{hit.entry.list} {hit.entry.id}"[:40],
            hit.listed_as if hit.listed_as == hit.entry.name else f"{hit.listed_as} (alias of {hit.entry.name})",
            f"{hit.score:.2f}",
            _why(hit),
            _stakes(found, hit),
        ]
        for hit in shown
    ]
    more = len(hits) - len(shown)
    return doc.section(title, doc.table(columns, rows), doc.notes([f"{more} more: --top 0"] if more else []))


def _why(hit: ListHit) -> str:
    """Return the agreement, and a note if the two countries differ."""
    where = [one for one in hit.entry.countries if len(one) == len("US")]
    apart = where and hit.party.countries and not set(where) & set(hit.party.countries)
    told = f"; listed in {', '.join(where[:3])}, here in {', '.join(hit.party.countries[:3])}" if apart else ""
    return f"{hit.why}{told}"


def _stakes(found: Screening, hit: ListHit) -> str:
    stakes = found.at_stake[hit.party.name]
    if not stakes.kilograms:
        return "nothing is bought"
    return f"{_masses(stakes.kilograms)}; {large_money(stakes.money, found.currency)}"


def _masses(kilograms: Mapping[str, Decimal]) -> str:
    by_mass = sorted(kilograms.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{material} {mass(kg)}" for material, kg in by_mass[:MATERIALS]]
    more = len(by_mass) - MATERIALS
    return ", ".join([*told, *([f"{more} more"] if more > 0 else [])])


def _decided(found: Screening) -> doc.Section | None:
    decided = [hit for hit in found.hits if hit.decision is not None]
    columns = [
        doc.Column("Name"),
        doc.Column("Entry"),
        doc.Column("Decided"),
        doc.Column("By", whole=True),
        doc.Column("Why"),
    ]
    rows = [
        [hit.party.name, f"{hit.entry.list} {hit.entry.id}", hit.decision.decision, f"{hit.decision.by}, {hit.decision.day}", hit.decision.reason]
        for hit in decided
        if hit.decision is not None
    ]  # fmt: skip
    return doc.section("Decided", doc.table(columns, rows)) if rows else None


def _law(found: Screening) -> doc.Section | None:
    """Return the prohibitions of each list with matches."""
    told = list(dict.fromkeys(hit.entry.list for hit in found.hits))
    known: dict[str, list[ListLaw]] = {one: [law for law in found.laws if law.list == one] for one in told}
    columns = [
        doc.Column("List", whole=True),
        doc.Column("What it bars"),
        doc.Column("For"),
        doc.Column("When"),
        doc.Column("Clause"),
    ]
    rows: list[list[doc.Cell]] = []
    for one, laws in known.items():
        for law in laws:
            what = law.title if law.id else f"nothing that is bought: {law.says}"
            uses = (
                f"{', '.join(law.buyers) or 'all'} buyers, {', '.join(law.end_uses) or 'all'} uses"
                if law.id
                else doc.NOTHING
            )
            when = _phases(law.phases)
            rows.append([one, what, uses, when if law.id or not when else f"what they own: {when}", law.citation])
        if not laws:
            rows.append([one, "not known here", doc.NOTHING, doc.NOTHING, doc.NOTHING])
    return doc.section("What the lists bar", doc.table(columns, rows)) if rows else None


def _phases(phases: Sequence[Phase]) -> str:
    told = []
    for phase in phases:
        days = " ".join(
            filter(None, (f"from {phase.start}" if phase.start else "", f"until {phase.end}" if phase.end else ""))
        )
        status = "" if phase.status.value == "enacted" else f" ({phase.status.value})"
        told.append(f"{days or 'always'}{status}")
    return "; ".join(told)


def _owned(found: Screening) -> doc.Section | None:
    """Return operators that listed parties own, certainly or possibly."""
    shown = [one for one in found.consequences.owned if one.finding.standing is not OwnerStanding.CLEAR]
    columns = [
        doc.Column("Company"),
        doc.Column("Rule"),
        doc.Column("Listed parties hold"),
        doc.Column("Through"),
        doc.Column("So it is", whole=True),
    ]
    rows = []
    for one in shown:
        least, most = float(one.finding.least), float(one.finding.most)
        share = f"{least:.1%}" if least == most else f"{least:.1%} to {most:.1%}"
        rows.append(
            [
                one.company,
                _rule(one),
                share,
                ", ".join(one.finding.through),
                one.finding.standing.value,
            ]
        )
    return doc.section("Owned by listed parties, or perhaps", doc.table(columns, rows)) if rows else None


def _rule(one: OwnedBy) -> str:
    """Return a rule of ownership, with its status on the date of the question."""
    status = one.law.status(one.start) or "not in force"
    told = "" if status == "enacted" else f", {status} on {one.start}"
    return f"{one.law.list} {one.law.ownership}{told}"


def _without(found: Screening) -> doc.Section:
    """Return the plan without the prohibited facilities, and the cost of each threshold."""
    lines = [("matches barred", found.without)]
    if found.with_reviews is not None:
        lines.append(("all under review barred as well", found.with_reviews))
    columns = [
        doc.Column("With"),
        doc.figures("Facilities barred"),
        doc.Column("Dearer by", found.currency, "right"),
        doc.Column("Short in addition"),
    ]
    rows = [
        [told, str(len(plan.facilities)), _rise(plan), _masses(plan.short) if plan.short else doc.NOTHING]
        for told, plan in lines
    ]
    rows += [
        [
            f"names from {step.threshold:.2f} on barred",
            str(len(step.facilities)),
            _rise(step),
            _masses(step.short) if step.short else doc.NOTHING,
        ]
        for step in found.steps
        if step.threshold is not None
    ]
    head = f"As it is, the plan spends {large_money(found.spent, found.currency)} in cash. What being without them adds is spend and penalty together (present value)."
    return doc.section("The plan without them", doc.sentence(head), doc.table(columns, rows))


def _rise(plan: PlanWithout) -> doc.Cell:
    if plan.conflict:
        return "rules conflict"
    return doc.Amount(plan.rise, form="signed") if plan.rise else "nothing"


def _lists(found: Screening) -> doc.Section:
    columns = [
        doc.Column("File"),
        doc.Column("Format", whole=True),
        doc.Column("Edition", whole=True),
        doc.figures("Entries"),
        doc.Column("Age"),
    ]
    rows = [
        [one.file, one.format, one.edition.isoformat(), f"{one.entries:,}", _age(one.age) + (", older than allowed" if one.old else "")]
        for one in found.lists
    ]  # fmt: skip
    return doc.section("Screened against", doc.table(columns, rows))


def _age(days: int) -> str:
    return "after today" if days < 0 else count(days, "day")


def _unknown(found: Screening) -> Iterator[str]:
    """Yield companies without known owners, which no rule of ownership clears."""
    doubtful = {one.law.note for one in found.consequences.owned if one.finding.standing is OwnerStanding.UNPROVEN}
    yield from sorted(doubtful - {""})
    unknown = found.consequences.unknown
    if unknown:
        named = "; ".join(unknown[:UNKNOWN]) + (f"; {len(unknown) - UNKNOWN} more" if len(unknown) > UNKNOWN else "")
        yield f"not proved to be clear, since nobody states all owners of {count(len(unknown), 'company', 'companies')}: {named}"


@dataclass(frozen=True)
class ScreenOptions:
    """Options of the question."""

    steps: Annotated[int, Setting("Thresholds at which the plan is made again.", "N", least=0)] = 6
    draft: Annotated[bool, Setting("Prints rows for the table of decisions: all that nobody has decided about.")] = (
        False
    )
    top: Annotated[int, Setting("Names shown of each band; 0: all.", "N", least=0)] = 15


class ScreenQuestion(Question[ScreenOptions, Screening]):
    """Parties on sanction and denial lists behind the facilities of a case: the reason, the prohibitions, and the cost of a plan without them.

    Lists, owners, decisions, and thresholds are named in the case, under [plugin.friendshore-screening]. Under --strict, a list that is older than
    the case allows is refused.
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
            raise InputError("the case names no list to screen against", fix=NAME_A_LIST)
        folder = _folder(settings, case.folder)
        found = ScreenedCase.of(settings, lambda _: folder, opened.catalogs, case)
        hits, bands = found.hits, Bands(settings.match, settings.review)
        places = frozenset(demand.use.place.country for demand in session.problem.demands)
        plans = _Plans.of(session, {name for name, pack in opened.pack_of.items() if pack in _files(settings)})
        everybody, follow = found.follows(), found.follows(places)
        without = plans.without(follow, None, (*everybody.bars, *everybody.doubts))
        undecided = [hit for hit in hits if hit.decision is None or counts(hit, None)]
        reviewed = found.follows(places, bands.review, undecided)
        with_reviews = plans.without(reviewed, None) if reviewed.bars != follow.bars else None
        steps: list[PlanWithout] = []
        for threshold in _thresholds(hits)[: options.steps] if reviewed.bars else []:
            if session.stopped:
                break
            then = found.follows(places, threshold, undecided)
            if not steps or steps[-1].facilities != tuple(sorted(then.facilities)):
                steps.append(plans.without(then, threshold))
            if progress is not None:
                progress(len(steps), options.steps, 0.0)
        return Screening(
            case.name, case.currency, bands, tuple(_told(settings, found.lists)), len(found.behind), len({one.id for one in found.facilities}), hits,
            {hit.party.name: _at_stake(hit.party, plans.bought) for hit in hits}, follow, found.laws, plans.free.verified.cost.nominal,
            without, with_reviews, tuple(steps), tuple(_notes(settings, found, case)),
        )  # fmt: skip

    def document(self, result: Screening, options: ScreenOptions) -> Document:
        return screening_document(result, options.top)

    def text(self, result: Screening, options: ScreenOptions) -> str | None:
        """Return rows for decisions if requested."""
        if not options.draft:
            return None
        return draft([(hit.party.name, hit.entry) for hit in result.hits if hit.decision is None])


def _folder(settings: ScreeningSettings, folder: Path | None) -> Path:
    """Return the folder of the files that the case names.

    Raises:
        InputError: For a run, and a case made in memory, which have no known folder.
    """
    beside = [one.file for one in settings.lists] + [settings.owners, settings.decisions]
    if folder is None and any(name and not Path(name).is_absolute() for name in beside):
        fix = "ask the case, with its files beside it"
        raise InputError("a run, and a case made in memory, has no folder in which lists could lie", fix=fix)
    return folder or Path()


def _files(settings: ScreeningSettings) -> set[str]:
    """Return the lists, which name the packs that follow from them."""
    return {one.called for one in settings.lists}


def _days_since(edition: date) -> int:
    return (today() - edition).days


def _told(settings: ScreeningSettings, lists: Iterable[ScreeningList]) -> Iterator[ListRead]:
    for one in lists:
        age = _days_since(one.edition)
        yield ListRead(one.file, one.format, one.edition, len(one.entries), age, age > settings.oldest)


def _bought(session: Session) -> Mapping[str, AtStake]:
    facility = {facts.offer.id: facts.facility.id for facts in session.problem.offers}
    kilograms: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    money: dict[str, Decimal] = defaultdict(Decimal)
    for line in session.verified.lines:
        kilograms[facility[line.name]][line.material] += line.quantity
        money[facility[line.name]] += line.total
    return {one: AtStake(dict(held), money[one]) for one, held in kilograms.items()}


def _at_stake(party: Party, bought: Mapping[str, AtStake]) -> AtStake:
    kilograms: dict[str, Decimal] = defaultdict(Decimal)
    for facility in party.behind:
        for material, kg in bought[facility].kilograms.items() if facility in bought else ():
            kilograms[material] += kg
    return AtStake(dict(kilograms), sum((bought[one].money for one in party.behind if one in bought), Decimal(0)))


def _thresholds(hits: Iterable[ListHit]) -> list[float]:
    """Return the scores at which anything changes, the highest first."""
    return sorted({hit.score for hit in hits if hit.decision is None}, reverse=True)


@dataclass(frozen=True, slots=True)
class _Plans:
    """Plans of a case with and without the prohibitions of its lists."""

    given: Session
    """Session with the rules of its lists as they are."""
    listed: Mapping[str, Rule]
    """Rules of its lists."""
    free: Session
    """Session without these rules."""
    bought: Mapping[str, AtStake]
    """Facility -> purchases in the plan without these rules."""

    @classmethod
    def of(cls, session: Session, names: Collection[str]) -> _Plans:
        """Return the plans of a case. `names` are ids of rules that may follow from its lists."""
        listed = {rule.id: rule for rule in session.problem.rules if rule.id in names}
        law, span = session.problem.law, session.problem.case.horizon.span
        idle = not any(rule.applies(span, law.statuses) for rule in listed.values())
        free = session if idle else _planned(session, listed, ())
        return cls(session, listed, free, _bought(free))

    def without(self, follow: Consequences, threshold: float | None, told: Iterable[ListBar] = ()) -> PlanWithout:
        """Return the plan under the rules that follow. If it buys nothing from prohibited facilities, it is the plan without these rules.

        If the rules of the case state the same prohibitions as `told`, its own plan is used.
        """
        barred = tuple(sorted(follow.facilities))
        before = self.free.verified
        if not set(barred) & self.bought.keys():
            return PlanWithout(threshold, barred, True, before.cost.nominal, Decimal(0), {})
        known = {name: rule for name, (_, rule) in rules_of(told).items()}
        after = self.given
        if not known or known != self.listed or _strict(self.given):
            after = _planned(self.given, self.listed, tuple(rule for _, rule in rules_of(follow.bars).values()))
        short, short_before = _short(after), _short(self.free)
        more = {name: kg - short_before.get(name, Decimal(0)) for name, kg in short.items()}
        rise = after.verified.cost.objective - before.cost.objective
        conflict = len(after.verified.plan.infeasible) > len(before.plan.infeasible)
        return PlanWithout(
            threshold, barred, not rise and not conflict, after.verified.cost.nominal, rise, {k: v for k, v in sorted(more.items()) if v > 0}, conflict
        )  # fmt: skip


def _strict(session: Session) -> bool:
    return PhaseStatus.UNKNOWN in session.problem.law.statuses


def _planned(session: Session, but: Collection[str], rules: tuple[Rule, ...]) -> Session:
    """Return the case without some of its rules and with others, at the given case's penalties for shortage and costs of holding."""
    given = session.inputs.freeze(session.problem)
    kept = tuple(rule for rule in given.rules if rule.id not in but)
    return Session.open(replace(given, rules=(*kept, *rules)), session.limits, None, session.cancel, session.answers)


def _short(session: Session) -> dict[str, Decimal]:
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    found: dict[str, Decimal] = defaultdict(Decimal)
    for short in session.verified.plan.shorts:
        found[material[short.demand]] += short.quantity
    return found


def _notes(settings: ScreeningSettings, found: ScreenedCase, case: Case) -> Iterator[str]:
    if not settings.lists:
        yield f"the case names no list, so nobody was screened: {NAME_A_LIST}"
    for one in found.lists:
        if _days_since(one.edition) > settings.oldest:
            yield f"`{one.file}` is of {one.edition}, {_days_since(one.edition)} days ago: the case allows {settings.oldest}"
        if one.note:
            yield f"{one.file}: {one.note}"
    yield from (text for _, text in found.lapsed)
    yield from unscreened(case)
    looked_at = {(hit.party.name, hit.entry.list, hit.entry.id) for hit in found.hits}
    for told in found.decisions:
        if (told.party, told.list, told.entry) not in looked_at:
            yield f"{told.by} decided about {told.party} and entry {told.entry} of {told.list}, which no longer look alike, or are not there"
    files = Counter(name for one in found.lists for name in {entry.list for entry in one.entries})
    several = sorted(name for name, times in files.items() if times > 1)
    if several:
        yield f"in more than one file: {', '.join(several)}; a decision is about an entry as one file has it"
