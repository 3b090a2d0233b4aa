"""The question `screen`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.domain.case import Case
from friendshore.domain.plan import Purchase
from friendshore.domain.time import today
from friendshore.errors import InputError
from friendshore.questions import Opened, Progress, Question, Setting
from friendshore.rules.base import PhaseStatus, Rule
from friendshore.session import Session

from .barred import Consequences, ListBar, counts, rules_of
from .decisions import draft
from .lists.entries import ScreeningList
from .matching import ListHit
from .names.score import Bands
from .parties import Party
from .records import AtStake, ListRead, PlanWithout, Screening
from .screened import ScreenedCase, unscreened
from .settings import NAME_ONE, PLUGIN, ScreeningSettings

if TYPE_CHECKING:
    from friendshore.document.elements import Document


@dataclass(frozen=True)
class ScreenOptions:
    """What can be set."""

    steps: Annotated[int, Setting("Thresholds at which the plan is made again.", "N", least=0)] = 6
    draft: Annotated[bool, Setting("Prints rows for the table of decisions: all that nobody has decided about.")] = (
        False
    )
    top: Annotated[int, Setting("Names shown of each band; 0: all.", "N", least=0)] = 15


class ScreenQuestion(Question[ScreenOptions, Screening]):
    """Who behind the facilities of a case stands on a list of sanctioned or denied parties, or may: why, what it bars, and what the plan costs without them.

    Lists, owners, decisions and thresholds are named in the case, under [plugin.friendshore-screening]. Under --strict, a list that is older than
    the case allows is refused.
    """

    name = "screen"
    options = ScreenOptions
    doing = "planning without"
    counted = "thresholds"

    def ask(self, opened: Opened, options: ScreenOptions, progress: Progress | None) -> Screening:
        """The answer."""
        settings: ScreeningSettings = opened.settings(PLUGIN)
        session = opened.session
        case = session.problem.case
        if opened.strict and not settings.lists:
            raise InputError("the case names no list to screen against", fix=NAME_ONE)
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
        """Matches, reviews, what they bar, and what it costs."""
        from .document import screening_document

        return screening_document(result, options.top)

    def text(self, result: Screening, options: ScreenOptions) -> str | None:
        """Rows to be decided about, if they are asked for."""
        if not options.draft:
            return None
        return draft([(hit.party.name, hit.entry) for hit in result.hits if hit.decision is None])


def _folder(settings: ScreeningSettings, folder: Path | None) -> Path:
    """Where the files lie that the case names.

    Raises:
        InputError: for a run, and a case made in memory, whose folder nobody knows.
    """
    beside = [one.file for one in settings.lists] + [settings.owners, settings.decisions]
    if folder is None and any(name and not Path(name).is_absolute() for name in beside):
        fix = "ask the case, with its files beside it"
        raise InputError("a run, and a case made in memory, has no folder in which lists could lie", fix=fix)
    return folder or Path()


def _files(settings: ScreeningSettings) -> set[str]:
    """The lists, by which the packs are called that follow from them."""
    return {one.called for one in settings.lists}


def _age(edition: date) -> int:
    return (today() - edition).days


def _told(settings: ScreeningSettings, lists: Iterable[ScreeningList]) -> Iterator[ListRead]:
    for one in lists:
        age = _age(one.edition)
        yield ListRead(one.file, one.format, one.edition, len(one.entries), age, age > settings.oldest)


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


@dataclass(frozen=True, slots=True)
class _Plans:
    """Plans of a case without what its lists bar, and with it."""

    given: Session
    """With the rules of its lists as they are."""
    listed: Mapping[str, Rule]
    """Those rules."""
    free: Session
    """Without them."""
    bought: Mapping[str, AtStake]
    """Facility -> what the plan without them buys there."""

    @classmethod
    def of(cls, session: Session, names: Collection[str]) -> _Plans:
        """Those of a case of whose rules some follow from its lists."""
        listed = {rule.id: rule for rule in session.problem.rules if rule.id in names}
        law, span = session.problem.law, session.problem.case.horizon.span
        idle = not any(rule.applies(span, law.statuses) for rule in listed.values())
        free = session if idle else _planned(session, listed, ())
        return cls(session, listed, free, _bought(free))

    def without(self, follow: Consequences, threshold: float | None, told: Iterable[ListBar] = ()) -> PlanWithout:
        """The plan under the rules that follow; where it buys nothing from whom they bar it is the plan without them. All that is `told` by the
        rules of the case is planned already.
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
    """The case without some of its rules and with others; shortage and holding cost what they cost in it as given."""
    given = session.inputs.freeze(session.problem)
    kept = tuple(rule for rule in given.rules if rule.id not in but)
    return Session.open(replace(given, rules=(*kept, *rules)), session.limits, None, session.cancel, session.answers)


def _short(session: Session) -> dict[str, Decimal]:
    """Material -> kilograms short over the plan."""
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    found: dict[str, Decimal] = defaultdict(Decimal)
    for short in session.verified.plan.shorts:
        found[material[short.demand]] += short.quantity
    return found


def _notes(settings: ScreeningSettings, found: ScreenedCase, case: Case) -> Iterator[str]:
    if not settings.lists:
        yield f"the case names no list, so nobody was screened: {NAME_ONE}"
    for one in found.lists:
        if _age(one.edition) > settings.oldest:
            yield f"`{one.file}` is of {one.edition}, {_age(one.edition)} days ago: the case allows {settings.oldest}"
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
