"""A case screened: its files read, everybody behind its facilities compared with the lists; and the rule packs that follow, one a list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Facility
from friendshore.domain.time import today
from friendshore.errors import FriendshoreError, InputError, attempt
from friendshore.readers import CaseFacts
from friendshore.rules.pack import RulePack, as_data

from .barred import Consequences, consequences, entry_of, rules_of
from .decisions import ReviewDecision, read_decisions
from .law import ListLaw, laws
from .lists.entries import ScreeningList
from .lists.installed import read_installed
from .lists.read import read_list
from .matching import ListHit, screen
from .names.score import Band, Bands
from .owners import read_owners
from .ownership import Stake
from .parties import Party, all_stakes, called, facilities_of, parties
from .settings import NAME_ONE, PLUGIN, ListFile, ScreeningSettings

NAMED = 3
"""Companies that a note names; then it is said how many more there are."""


@dataclass(frozen=True, slots=True)
class ScreenedCase:
    """Everybody behind the facilities of a case, and who of them stands on a list, or may."""

    lists: tuple[ScreeningList, ...]
    decisions: tuple[ReviewDecision, ...]
    facilities: tuple[Facility, ...]
    held: tuple[Stake, ...]
    """Who holds what of whom."""
    behind: tuple[Party, ...]
    hits: tuple[ListHit, ...]
    laws: tuple[ListLaw, ...]
    """Of the lists on which anybody was found."""
    days: tuple[date, date]
    """First and last day of the plan."""

    @classmethod
    def of(
        cls,
        settings: ScreeningSettings,
        folder_of: Callable[[str], Path],
        catalogs: Iterable[Catalog],
        case: Case,
    ) -> ScreenedCase:
        """The case, screened; `folder_of` says in which folder the files lie that a key of the settings names, `catalogs` are as they were read.

        Raises:
            InputError: with all that is wrong with any file.
        """
        facilities, horizon = facilities_of(catalogs, case.overlaps), case.horizon
        lists, stakes, decisions = _read(settings, folder_of, facilities)
        held = all_stakes(facilities, stakes)
        behind = parties(facilities, held)
        found = screen(behind, lists, Bands(settings.match, settings.review), decisions, horizon.start)
        hits = _but_by_operator(found, facilities)
        about = tuple(law for law in laws() if any(law.is_about(hit.entry) for hit in hits))
        days = horizon.start, horizon.periods[-1].end
        return cls(tuple(lists), decisions, facilities, held, behind, hits, about, days)

    def follows(
        self,
        places: frozenset[str] | None = None,
        threshold: float | None = None,
        among: Iterable[ListHit] | None = None,
    ) -> Consequences:
        """What follows, with all hits or some of them: see `consequences`."""
        hits = self.hits if among is None else tuple(among)
        return consequences(hits, self.facilities, self.held, self.laws, self.days, threshold, places)

    @property
    def lapsed(self) -> Iterator[tuple[str, str]]:
        """What a reviewer decided about entries that say something else now, each with the list."""
        for hit in self.hits:
            if hit.lapsed is not None:
                told = hit.lapsed
                yield (
                    hit.file,
                    f"what {told.by} decided about {hit.party.name} and entry {hit.entry.id} of {hit.entry.list} on {told.day} "
                    "has lapsed: the entry says something else now",
                )


def packs_of(facts: CaseFacts) -> Iterator[RulePack]:
    """The rule packs of a case, one a list: what it bars of whom, and of unknown status what it may bar.

    Raises:
        InputError: with all that is wrong with any file.
    """
    settings: ScreeningSettings = facts.settings
    if not settings.lists:
        message, fix = "nobody is screened, since the case names no list", f"{NAME_ONE}; or delete the table"
        raise InputError(message, column=f"plugin.{PLUGIN}.lists", expected="a list or more", fix=fix)
    found = ScreenedCase.of(settings, facts.folder_of, facts.catalogs, facts.case)
    follow = found.follows()
    rules = rules_of((*follow.bars, *follow.doubts))
    for one in settings.lists:
        yield RulePack(
            id=one.called,
            title=f"What stands on {one.called} bars",
            as_of=one.edition,
            good_until=one.edition + timedelta(days=settings.oldest),
            notes=(*_notes(one, found, follow), *(unscreened(facts.case) if one is settings.lists[0] else ())),
            rules=tuple(as_data(rule) for bar, rule in rules.values() if bar.file == one.called),
        )


def _notes(one: ListFile, found: ScreenedCase, follow: Consequences) -> Iterator[str]:
    """What a list says of a case, in few words."""
    hits = [hit for hit in found.hits if hit.file == one.called]
    barred, doubted = ({bar.company for bar in bars if bar.file == one.called} for bars in (follow.bars, follow.doubts))
    if barred:
        yield f"bars {_few(barred)}"
    if doubted:
        yield f"may bar {_few(doubted)} (--strict)"
    told = [bar.why for bar in (*follow.bars, *follow.doubts)]
    idle = [hit for hit in hits if not any(entry_of(hit) in why for why in told)]
    for band, verb in ((Band.MATCH, "names"), (Band.REVIEW, "may name")):
        if names := {hit.party.name for hit in idle if hit.band is band}:
            yield f"{verb} {_few(names)}, and bars no purchase by that"
    if all(hit.band is Band.NONE for hit in hits):
        yield "names nobody behind the facilities"
    elif follow.unknown:
        owned = "1 company is" if len(follow.unknown) == 1 else f"{len(follow.unknown)} companies are"
        yield f"{owned} not proved to be clear of listed owners"
    yield from (text for file, text in found.lapsed if file == one.called)


def _but_by_operator(hits: Sequence[ListHit], facilities: Iterable[Facility]) -> tuple[ListHit, ...]:
    """All but what says of a plant no more than of who runs it: its name is like an entry because it begins with its operator's, which is as much alike."""
    runs: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        runs[facility.name].add(facility.supplier)
    scores = {(hit.party.name, hit.file, hit.entry.list, hit.entry.id): hit.score for hit in hits}

    def told(hit: ListHit) -> bool:
        key = hit.file, hit.entry.list, hit.entry.id
        plant = hit.party.roles == ("facility",)
        return plant and all(scores.get((one, *key), 0.0) >= hit.score for one in runs[hit.party.name])

    return tuple(hit for hit in hits if not told(hit))


def unscreened(case: Case) -> Iterator[str]:
    """What of a case no list can name: stock in hand, of which nobody says who made it."""
    count = sum(1 for stock in case.stocks if not stock.offer)
    if count:
        stocks = "1 stock in hand names" if count == 1 else f"{count} stocks in hand name"
        yield f"{stocks} no supplier, so that no list clears what is served from it"


def _few(names: Iterable[str]) -> str:
    told = sorted(names)
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    return ", ".join([*told[:NAMED], *more])


def _read(
    settings: ScreeningSettings, folder_of: Callable[[str], Path], facilities: Iterable[Facility]
) -> tuple[list[ScreeningList], tuple[Stake, ...], tuple[ReviewDecision, ...]]:
    """All files that the case names, with all that is wrong with any of them."""
    errors: list[FriendshoreError] = []
    lists = [attempt(partial(_list, one, folder_of("lists")), errors) for one in settings.lists]
    known = called(facilities)
    owners = attempt(
        lambda: read_owners(folder_of("owners") / settings.owners, known) if settings.owners else (), errors
    )
    decided = attempt(
        lambda: read_decisions(folder_of("decisions") / settings.decisions) if settings.decisions else (), errors
    )
    if errors:
        raise InputError(problem for error in errors for problem in error.problems)
    return [one for one in lists if one is not None], owners or (), decided or ()


def _list(one: ListFile, folder: Path) -> ScreeningList:
    """A list that a case names, whose edition is of a day that has come.

    Raises:
        InputError: with all that is wrong with it.
    """
    if one.edition > today():
        found, expected = str(one.edition), f"{today()} or before"
        raise InputError("its edition is of a day to come", one.called, found=found, expected=expected)
    if one.file:
        return read_list(folder / one.file, one.file, one.format, one.edition, one.list)
    return read_installed(one.list, one.edition)
