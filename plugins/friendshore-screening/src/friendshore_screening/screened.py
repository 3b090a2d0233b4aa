"""A case screened: its files read, everybody behind its facilities compared with the lists; and the rule packs that follow, one a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from friendshore.domain.facts import Catalog, Facility
from friendshore.domain.time import Horizon
from friendshore.errors import Diagnostic, InputError
from friendshore.readers import CaseFacts
from friendshore.reading.today import today
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
from .parties import Party, all_stakes, called, parties, run_by
from .settings import ListFile, ScreeningSettings

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
        horizon: Horizon,
    ) -> ScreenedCase:
        """The case, screened; `folder_of` says in which folder the files lie that a key of the settings names.

        Raises:
            InputError: with all that is wrong with any file.
        """
        seen = {facility.id: facility for catalog in catalogs for facility in catalog.facilities}
        facilities = run_by(seen[one] for one in sorted(seen))
        lists, stakes, decisions = _read(settings, folder_of, facilities)
        held = all_stakes(facilities, stakes)
        behind = parties(facilities, held)
        hits = screen(behind, lists, Bands(settings.match, settings.review), decisions, horizon.start)
        about = tuple(law for law in laws() if any(law.is_about(hit.entry) for hit in hits))
        days = horizon.start, horizon.periods[-1].end
        return cls(tuple(lists), decisions, facilities, held, behind, tuple(hits), about, days)

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
        return
    found = ScreenedCase.of(settings, facts.folder_of, facts.catalogs, facts.case.horizon)
    follow = found.follows()
    rules = rules_of((*follow.bars, *follow.doubts))
    for one in settings.lists:
        yield RulePack(
            id=one.called,
            title=f"What stands on {one.called} bars",
            as_of=one.edition,
            good_until=one.edition + timedelta(days=settings.oldest),
            notes=tuple(_notes(one, found, follow)),
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


def _few(names: Iterable[str]) -> str:
    told = sorted(names)
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    return ", ".join([*told[:NAMED], *more])


def _read(
    settings: ScreeningSettings, folder_of: Callable[[str], Path], facilities: Iterable[Facility]
) -> tuple[list[ScreeningList], tuple[Stake, ...], tuple[ReviewDecision, ...]]:
    """All files that the case names, with all that is wrong with any of them."""
    found: list[Diagnostic] = []
    lists = []
    for one in settings.lists:
        if one.edition > today():
            expected = f"{today()} or before"
            found.append(
                Diagnostic("its edition is of a day to come", one.called, found=str(one.edition), expected=expected)
            )
        try:
            if one.file:
                lists.append(read_list(folder_of("lists") / one.file, one.file, one.format, one.edition, one.list))
            else:
                lists.append(read_installed(one.list, one.edition))
        except InputError as error:
            found += error.problems
    owners: tuple[Stake, ...] = ()
    decided: tuple[ReviewDecision, ...] = ()
    try:
        owners = read_owners(folder_of("owners") / settings.owners, called(facilities)) if settings.owners else ()
    except InputError as error:
        found += error.problems
    try:
        decided = read_decisions(folder_of("decisions") / settings.decisions) if settings.decisions else ()
    except InputError as error:
        found += error.problems
    if found:
        raise InputError(found)
    return lists, owners, decided
