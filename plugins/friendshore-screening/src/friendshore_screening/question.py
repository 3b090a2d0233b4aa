"""The question `screen`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.domain.facts import Facility
from friendshore.domain.plan import Purchase
from friendshore.errors import Diagnostic, InputError
from friendshore.questions import Opened, Progress, Question, Setting
from friendshore.reading.today import today
from friendshore.rules.base import Rule
from friendshore.session import Session

from .barred import Consequences, consequences, counts, rules_of
from .decisions import ReviewDecision, draft, read_decisions
from .law import laws
from .lists.entries import ScreeningList
from .lists.installed import read_installed
from .lists.read import read_list
from .matching import ListHit, screen
from .names.score import Bands
from .owners import read_owners
from .ownership import Stake
from .parties import Party, all_stakes, called, parties
from .records import AtStake, ListRead, PlanWithout, Screening
from .settings import ScreeningSettings

if TYPE_CHECKING:
    from friendshore.document.elements import Document

PLUGIN = "friendshore-screening"
NAME_ONE = (
    f'name one under [plugin.{PLUGIN}]: lists = [{{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }}]'
)


@dataclass(frozen=True)
class ScreenOptions:
    """What can be set."""

    steps: Annotated[int, Setting("Thresholds at which the plan is made again.", "N", least=0)] = 6
    draft: Annotated[bool, Setting("Prints rows for the table of decisions: all that nobody has decided about.")] = (
        False
    )
    top: Annotated[int, Setting("Names shown of each band; 0: all.", "N", least=0)] = 15


class ScreenQuestion(Question[ScreenOptions, Screening]):
    """Who behind the facilities of a case stands on a screening list, or may: why, what it bars, and what the plan costs without them.

    Lists, owners, decisions and thresholds are named in the case, under [plugin.friendshore-screening]. Under --strict, a list that is older than
    the case allows is refused.
    """

    name = "screen"
    options = ScreenOptions
    doing = "planning without"
    counted = "thresholds"

    def ask(self, opened: Opened, options: ScreenOptions, progress: Progress | None) -> Screening:
        """The answer."""
        settings = opened.settings(PLUGIN)
        session = opened.session
        case = session.problem.case
        facilities = _facilities(session)
        lists, stakes, decisions = _read(settings, case.folder, opened.strict, facilities)
        held = all_stakes(facilities, stakes)
        behind = parties(facilities, held)
        bands = Bands(settings.match, settings.review)
        horizon = case.horizon.start, case.horizon.periods[-1].end
        hits = screen(behind, lists, bands, decisions, case.horizon.start)
        about = tuple(law for law in laws() if any(law.is_about(hit.entry) for hit in hits))
        places = frozenset(demand.use.place.country for demand in session.problem.demands)

        def follows(threshold: float | None, among: Iterable[ListHit]) -> Consequences:
            return consequences(list(among), facilities, held, about, places, horizon, threshold)

        follow = follows(None, hits)
        bought = _bought(session)
        without = _without(session, follow, None, bought)
        reviewed = follows(bands.review, [hit for hit in hits if hit.decision is None or counts(hit, None)])
        with_reviews = _without(session, reviewed, None, bought) if reviewed.bars != follow.bars else None
        steps: list[PlanWithout] = []
        for threshold in _thresholds(hits)[: options.steps] if reviewed.bars else []:
            if session.stopped:
                break
            then = follows(threshold, [hit for hit in hits if hit.decision is None or counts(hit, None)])
            if not steps or steps[-1].facilities != tuple(sorted(then.facilities)):
                steps.append(_without(session, then, threshold, bought))
            if progress is not None:
                progress(len(steps), options.steps, 0.0)
        return Screening(
            case.name, case.currency, bands, tuple(_told(settings, lists)), len(behind), len(facilities), tuple(hits),
            {hit.party.name: _at_stake(hit.party, bought) for hit in hits}, follow, about, session.verified.cost.total,
            without, with_reviews, tuple(steps), tuple(_notes(settings, hits, lists, decisions)),
        )  # fmt: skip

    def document(self, result: Screening, options: ScreenOptions) -> Document:
        """Matches, reviews, what they bar, and what it costs."""
        from .document import screening_document

        return screening_document(result, options.top)

    def text(self, result: Screening, options: ScreenOptions) -> str | None:
        """Rows to be decided about, if they are asked for."""
        if not options.draft:
            return None
        return draft([(hit.party.name, hit.entry) for hit in result.hits if hit.decision is None])


def _read(
    settings: ScreeningSettings, folder: Path | None, strict: bool, facilities: Iterable[Facility]
) -> tuple[list[ScreeningList], tuple[Stake, ...], tuple[ReviewDecision, ...]]:
    """All files that the case names, with all that is wrong with any of them."""
    if strict and not settings.lists:
        raise InputError("the case names no list to screen against", fix=NAME_ONE)
    beside = [one.file for one in settings.lists] + [settings.owners, settings.decisions]
    if folder is None and any(name and not Path(name).is_absolute() for name in beside):
        fix = "ask the case, with its files beside it"
        raise InputError("a run, and a case made in memory, has no folder in which lists could lie", fix=fix)
    base = folder or Path()
    found: list[Diagnostic] = []
    lists = []
    for one in settings.lists:
        if strict and _age(one.edition) > settings.oldest:
            expected = f"an edition of the last {settings.oldest} days"
            told = f"{one.edition}, {_age(one.edition)} days ago"
            fix = "fetch the list once more, and say of which day it is"
            found.append(
                Diagnostic("the list is older than the case allows", one.called, None, "edition", told, expected, fix)
            )
        try:
            if one.file:
                lists.append(read_list(base / one.file, one.file, one.format, one.edition, one.list))
            else:
                lists.append(read_installed(one.list, one.edition))
        except InputError as error:
            found += error.problems
    owners: tuple[Stake, ...] = ()
    decided: tuple[ReviewDecision, ...] = ()
    try:
        owners = read_owners(base / settings.owners, called(facilities)) if settings.owners else ()
    except InputError as error:
        found += error.problems
    try:
        decided = read_decisions(base / settings.decisions) if settings.decisions else ()
    except InputError as error:
        found += error.problems
    if found:
        raise InputError(found)
    return lists, owners, decided


def _age(edition: date) -> int:
    return (today() - edition).days


def _told(settings: ScreeningSettings, lists: Iterable[ScreeningList]) -> Iterator[ListRead]:
    for one in lists:
        age = _age(one.edition)
        yield ListRead(one.file, one.format, one.edition, len(one.entries), age, age > settings.oldest)


def _facilities(session: Session) -> tuple[Facility, ...]:
    """Facilities of the catalogs of a case, each once."""
    seen = {facility.id: facility for catalog in session.inputs.catalogs for facility in catalog.facilities}
    return tuple(seen[one] for one in sorted(seen))


def _bought(session: Session) -> Mapping[str, AtStake]:
    """Facility -> what the plan buys there."""
    facility = {facts.offer.id: facts.facility.id for facts in session.problem.offers}
    kilograms: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    money: dict[str, Decimal] = defaultdict(Decimal)
    for line in session.verified.lines:
        entry = line.item.entry
        if isinstance(entry, Purchase):
            kilograms[facility[entry.offer]][entry.material] += entry.quantity
            money[facility[entry.offer]] += line.total
    return {one: AtStake(dict(held), money[one]) for one, held in kilograms.items()}


def _at_stake(party: Party, bought: Mapping[str, AtStake]) -> AtStake:
    kilograms: dict[str, Decimal] = defaultdict(Decimal)
    for facility in party.behind:
        for material, kg in bought[facility].kilograms.items() if facility in bought else ():
            kilograms[material] += kg
    return AtStake(dict(kilograms), sum((bought[one].money for one in party.behind if one in bought), Decimal(0)))


def _thresholds(hits: Iterable[ListHit]) -> list[float]:
    """Scores at which anything changes, the highest first."""
    return sorted({hit.score for hit in hits if hit.decision is None}, reverse=True)


def _without(
    session: Session, follow: Consequences, threshold: float | None, bought: Mapping[str, AtStake]
) -> PlanWithout:
    """The plan under the rules that follow; where it buys nothing from whom they bar it is the plan as it is."""
    barred = tuple(sorted(follow.facilities))
    before = session.verified
    if not set(barred) & bought.keys():
        return PlanWithout(threshold, barred, True, before.cost.total, Decimal(0), {})
    after = _planned(session, rules_of(follow.bars))
    short = _short(after)
    short_before = _short(session)
    more = {name: kg - short_before.get(name, Decimal(0)) for name, kg in short.items()}
    rise = after.verified.cost.objective - before.cost.objective
    conflict = len(after.verified.plan.infeasible) > len(before.plan.infeasible)
    return PlanWithout(
        threshold, barred, not rise and not conflict, after.verified.cost.total, rise, {k: v for k, v in sorted(more.items()) if v > 0}, conflict
    )  # fmt: skip


def _planned(session: Session, rules: tuple[Rule, ...]) -> Session:
    """The case under further rules; shortage and holding cost what they cost in it as given."""
    given = session.inputs.freeze(session.problem)
    return Session.open(
        replace(given, rules=(*given.rules, *rules)), session.limits, None, session.cancel, session.answers
    )


def _short(session: Session) -> dict[str, Decimal]:
    """Material -> kilograms short over the plan."""
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    found: dict[str, Decimal] = defaultdict(Decimal)
    for short in session.verified.plan.shorts:
        found[material[short.demand]] += short.quantity
    return found


def _notes(
    settings: ScreeningSettings,
    hits: Sequence[ListHit],
    lists: Sequence[ScreeningList],
    decisions: Iterable[ReviewDecision],
) -> Iterator[str]:
    if not settings.lists:
        yield f"the case names no list, so nobody was screened: {NAME_ONE}"
    for one in lists:
        if _age(one.edition) > settings.oldest:
            yield f"`{one.file}` is of {one.edition}, {_age(one.edition)} days ago: the case allows {settings.oldest}"
        if one.note:
            yield f"{one.file}: {one.note}"
    for hit in hits:
        if hit.lapsed is not None:
            before_it = hit.lapsed
            yield (
                f"what {before_it.by} decided about {hit.party.name} and entry {hit.entry.id} of {hit.entry.list} on {before_it.day} "
                "has lapsed: the entry says something else now"
            )
    found = {(hit.party.name, hit.entry.list, hit.entry.id) for hit in hits}
    for told in decisions:
        if (told.party, told.list, told.entry) not in found:
            yield f"{told.by} decided about {told.party} and entry {told.entry} of {told.list}, which no longer look alike, or are not there"
    files = Counter(name for one in lists for name in {entry.list for entry in one.entries})
    several = sorted(name for name, times in files.items() if times > 1)
    if several:
        yield f"in more than one file: {', '.join(several)}; a decision is about an entry as one file has it"
