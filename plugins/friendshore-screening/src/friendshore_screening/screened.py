"""Screening of a case against lists: settings and resulting rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from pydantic import Field

from friendshore.domain.base import CheckedRecord, Fault, Given
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Facility
from friendshore.domain.suggest import nearest
from friendshore.domain.time import today
from friendshore.errors import FriendshoreError, InputError, attempt
from friendshore.readers import CaseFacts
from friendshore.rules.pack import RulePack, as_data

from .barred import Consequences, ListLaw, consequences, entry_of, laws, rules_of
from .lists import CONSOLIDATED, CSL_LISTS, ScreeningList, read_installed, read_list
from .matching import ListHit, Party, ReviewDecision, all_stakes, called, facilities_of, parties, read_decisions, screen
from .names import MATCH, REVIEW, Band, Bands
from .ownership import Stake, read_owners

PLUGIN = "friendshore-screening"
NAME_A_LIST = (
    f'name one under [plugin.{PLUGIN}]: lists = [{{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }}]'
)
SLIP = 0.8
"""Minimum similarity at which an unknown list is probably a misspelled one, which would bar nothing."""


class ListFile(CheckedRecord):
    """A list to screen against: `{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }`.

    Or an edition that comes with the plugin: `{ list = "us-1260h", edition = 2026-06-08 }`.
    """

    file: str = ""
    """File, relative to the case's folder. For OFAC, the one with the entries, next to the others. Empty for an edition that comes with the plugin."""
    format: str = ""
    """`csl-csv`, `csl-json`, `ofac-sdn`, `ofac-consolidated`, `eu-csv`, `eu-xml`, or `table`. Empty without a file."""
    edition: date
    """Day of the publisher's edition."""
    list: str = ""
    """The list, such as `us-1260h` or `us-uflpa`, if the format doesn't name it."""

    @property
    def called(self) -> str:
        """Name of the list in messages."""
        return self.file or f"{self.list} {self.edition}"

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield errors for a file without a format, for neither a file nor a list, and for an unknown or redundant list."""
        file, form, listed = (str(given.get(key, "")) for key in ("file", "format", "list"))
        if file and not form:
            fix = "name the format; without a file, `list` and `edition` name an edition that comes with the plugin"
            yield Fault("format", "is needed with `file`", "a format, such as csl-csv", fix, ("file",))
        if form and not file:
            yield Fault(
                "file", "is needed with `format`", "a file", "name the file, or leave `format` out", ("format",)
            )
        if not file and not form and not listed:
            fix = 'name a file and its format, or an edition that comes with the plugin: list = "us-1260h"'
            yield Fault("list", "nothing says which list it is", "a list", fix, ("file", "format"))
        if form == "table" and not listed:
            fix = "name the list, such as us-sdn: what it bars is looked up by that"
            yield Fault("list", "nothing says which list the table is of", "a list", fix, ("format",))
        if listed and form.startswith(("csl-", "eu-")):
            message = f"each entry of `{form}` says itself which list it is of"
            yield Fault("list", message, "", "leave `list` out", ("format",))
        known = {*(law.list for law in laws()), *CSL_LISTS.values(), *CONSOLIDATED.values()}
        if listed not in known and (meant := nearest(listed.strip(), known, SLIP)) is not None:
            message = f"`{listed}` is no list of which any law is known"
            yield Fault("list", message, meant, f"write `{meant}`, or call a list of one's own otherwise")


class ScreeningSettings(CheckedRecord):
    """Screening settings of a case."""

    lists: tuple[ListFile, ...] = ()
    owners: str = ""
    """Owner table, relative to the case's folder. If empty, only the `parent` of facilities is known."""
    decisions: str = ""
    """Table of the reviewer's decisions."""
    match: float = Field(default=MATCH, gt=0, le=1)
    """Minimum score at which a name counts as a listed one."""
    review: float = Field(default=REVIEW, gt=0, le=1)
    """Minimum score at which a name needs a review."""
    oldest: int = Field(default=30, ge=0)
    """Maximum age of an edition in days. `--strict` rejects older ones."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield an error if reviews begin above matches."""
        match, review = given.get("match", MATCH), given.get("review", REVIEW)
        if isinstance(match, float) and isinstance(review, float) and review > match:
            yield Fault("review", "is above `match`, so that nothing is ever under review", f"at most {match:g}")
        lists = [one.called for one in given.get("lists") or () if isinstance(one, ListFile)]
        for name in sorted({name for name in lists if lists.count(name) > 1}):
            yield Fault("lists", f"names `{name}` twice", "each list once")


NAMED = 3
"""Maximum number of companies in a note, followed by the number of others."""


@dataclass(frozen=True, slots=True)
class ScreenedCase:
    """All parties behind the facilities of a case, with definite and possible matches on lists."""

    lists: tuple[ScreeningList, ...]
    decisions: tuple[ReviewDecision, ...]
    facilities: tuple[Facility, ...]
    held: tuple[Stake, ...]
    """Shares of owners in companies."""
    behind: tuple[Party, ...]
    hits: tuple[ListHit, ...]
    laws: tuple[ListLaw, ...]
    """Laws of the lists with matches."""
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
        """Return the screened case. `folder_of` returns the folder of the files that a settings key names, and `catalogs` are as read.

        Raises:
            InputError: With all errors in any file.
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
        """Return the effects of all hits or some of them, as by `consequences`."""
        hits = self.hits if among is None else tuple(among)
        return consequences(hits, self.facilities, self.held, self.laws, self.days, threshold, places)

    @property
    def lapsed(self) -> Iterator[tuple[str, str]]:
        """Yield the decisions on entries that have changed since, each with the list."""
        for hit in self.hits:
            if hit.lapsed is not None:
                told = hit.lapsed
                yield (
                    hit.file,
                    f"what {told.by} decided about {hit.party.name} and entry {hit.entry.id} of {hit.entry.list} on {told.day} "
                    "has lapsed: the entry says something else now",
                )


def packs_of(facts: CaseFacts) -> Iterator[RulePack]:
    """Yield a case's rule packs, one for each list: definite bars, and possible ones with unknown status.

    Raises:
        InputError: With all errors in any file.
    """
    settings: ScreeningSettings = facts.settings
    if not settings.lists:
        message, fix = "nobody is screened, since the case names no list", f"{NAME_A_LIST}; or delete the table"
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
    """Yield notes on the results of a list for a case."""
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
    """Return the hits without those of plants that are similar to an entry only through their operator's name."""
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
    """Yield the parts of a case that lists can't cover: stock of unknown makers."""
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
    """Return the contents of all files that the case names.

    Raises:
        InputError: With all errors in any of them.
    """
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
    """Return a list that a case names, with an edition not in the future.

    Raises:
        InputError: With all errors in it.
    """
    if one.edition > today():
        found, expected = str(one.edition), f"{today()} or before"
        raise InputError("its edition is of a day to come", one.called, found=found, expected=expected)
    if one.file:
        return read_list(folder / one.file, one.file, one.format, one.edition, one.list)
    return read_installed(one.list, one.edition)
