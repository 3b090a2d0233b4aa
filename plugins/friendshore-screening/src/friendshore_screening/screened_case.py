"""Screening of a case against lists: settings and resulting rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from pydantic import Field

from friendshore.domain.base import CheckedRecord, Fault, FieldValues
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Facility
from friendshore.domain.suggest import nearest
from friendshore.domain.time import today
from friendshore.errors import FriendshoreError, InputError, attempt
from friendshore.questions.wording import first_few
from friendshore.readers import CaseFacts
from friendshore.rules.pack import RulePack, as_data

from .lists import CONSOLIDATED, CSL_LISTS, ScreeningList, read_installed, read_list
from .matching import (
    ListHit,
    Party,
    ReviewDecision,
    all_stakes,
    company_names,
    facilities_of,
    parties,
    read_decisions,
    screen,
)
from .names import MATCH, REVIEW, Band, Bands
from .ownership import Stake, read_owners
from .prohibitions import Consequences, ListLaw, consequences, entry_of, laws, rules_of

PLUGIN = "friendshore-screening"
NAME_A_LIST = (
    f'add one under [plugin.{PLUGIN}]: lists = [{{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }}]'
)
MISSPELLED = 0.8
"""Minimum similarity at which an unknown list is probably a misspelled one, which would prohibit nothing."""


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
    def label(self) -> str:
        return self.file or f"{self.list} {self.edition}"

    @classmethod
    def faults(cls, fields: FieldValues) -> Iterator[Fault]:
        file, form, listed = (str(fields.get(key, "")) for key in ("file", "format", "list"))
        if file and not form:
            fix = "add `format`; without a file, `list` and `edition` choose an edition that the plugin contains"
            yield Fault("format", "is required with `file`", "a format, such as csl-csv", fix, ("file",), code="FS945")
        if form and not file:
            fix = "add `file`, or delete `format`"
            yield Fault("file", "is required with `format`", "a file", fix, ("format",), code="FS945")
        if not file and not form and not listed:
            fix = 'add `file` and `format`, or choose an edition that the plugin contains: `list = "us-1260h"`'
            yield Fault("list", "the list isn't named", "a list", fix, ("file", "format"), code="FS945")
        if form == "table" and not listed:
            fix = 'add `list`, such as `list = "us-sdn"`, which determines the law'
            yield Fault("list", "the list of the table isn't named", "a list", fix, ("format",), code="FS945")
        if listed and form.startswith(("csl-", "eu-")):
            message = f"each entry of `{form}` names its own list"
            yield Fault("list", message, "", "delete `list`", ("format",), code="FS945")
        known = {*(law.list for law in laws()), *CSL_LISTS.values(), *CONSOLIDATED.values()}
        if listed not in known and (meant := nearest(listed.strip(), known, MISSPELLED)) is not None:
            fix = f"write `{meant}`, or give your own list a different name"
            yield Fault("list", f"`{listed}` isn't a list with a known law", meant, fix, code="FS003")


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
    def faults(cls, fields: FieldValues) -> Iterator[Fault]:
        match, review = fields.get("match", MATCH), fields.get("review", REVIEW)
        if isinstance(match, float) and isinstance(review, float) and review > match:
            fix = "lower `review`, or raise `match`"
            yield Fault(
                "review", "is above `match`, so no name would need a review", f"at most {match:g}", fix, code="FS012"
            )
        labels = [each.label for each in fields.get("lists") or () if isinstance(each, ListFile)]
        for label in sorted({label for label in labels if labels.count(label) > 1}):
            yield Fault("lists", f"`{label}` is listed twice", "each list once", "delete one of them", code="FS012")


MAX_NAMES = 3
"""Maximum number of companies in a note, followed by the number of others."""


@dataclass(frozen=True, slots=True)
class ScreenedCase:
    """Parties behind the facilities of a case, with certain and possible matches on lists."""

    lists: tuple[ScreeningList, ...]
    decisions: tuple[ReviewDecision, ...]
    facilities: tuple[Facility, ...]
    stakes: tuple[Stake, ...]
    parties: tuple[Party, ...]
    hits: tuple[ListHit, ...]
    laws: tuple[ListLaw, ...]
    days: tuple[date, date]

    @classmethod
    def of(
        cls,
        settings: ScreeningSettings,
        folder_of: Callable[[str], Path],
        catalogs: Iterable[Catalog],
        case: Case,
    ) -> ScreenedCase:
        """Return the screened case. `folder_of` returns the folder of the files that a settings key names. `catalogs` are as read."""
        facilities, horizon = facilities_of(catalogs, case.overlaps), case.horizon
        lists, table_stakes, decisions = _read(settings, folder_of, facilities)
        stakes = all_stakes(facilities, table_stakes)
        screened_parties = parties(facilities, stakes)
        all_hits = screen(screened_parties, lists, Bands(settings.match, settings.review), decisions, horizon.start)
        hits = _without_operator_names(all_hits, facilities)
        relevant_laws = tuple(law for law in laws() if any(law.covers(hit.entry) for hit in hits))
        days = horizon.start, horizon.periods[-1].end
        return cls(tuple(lists), decisions, facilities, stakes, screened_parties, hits, relevant_laws, days)

    def consequences(
        self,
        places: frozenset[str] | None = None,
        threshold: float | None = None,
        hits: Iterable[ListHit] | None = None,
    ) -> Consequences:
        counted = self.hits if hits is None else tuple(hits)
        return consequences(counted, self.facilities, self.stakes, self.laws, self.days, threshold, places)

    @property
    def lapsed(self) -> Iterator[tuple[str, str]]:
        """List and note of each decision on an entry that has changed since."""
        for hit in self.hits:
            if hit.lapsed is not None:
                decision = hit.lapsed
                yield (
                    hit.file,
                    f"the decision of {decision.by} on {hit.party.name} and entry {hit.entry.id} of {hit.entry.list} ({decision.day}) "
                    "has lapsed, because the entry has changed",
                )


def packs_of(facts: CaseFacts) -> Iterator[RulePack]:
    """Yield a rule pack for each list of a case. Possible prohibitions have the status unknown."""
    settings: ScreeningSettings = facts.settings
    if not settings.lists:
        message, fix = "no company is screened, because the case names no list", f"{NAME_A_LIST}, or delete the table"
        column = f"plugin.{PLUGIN}.lists"
        raise InputError(message, column=column, expected="at least one list", fix=fix, code="FS945")
    screened = ScreenedCase.of(settings, facts.folder_of, facts.catalogs, facts.case)
    effects = screened.consequences()
    rules = rules_of((*effects.prohibitions, *effects.possible))
    for list_file in settings.lists:
        yield RulePack(
            id=list_file.label,
            title=f"Prohibitions of {list_file.label}",
            as_of=list_file.edition,
            good_until=list_file.edition + timedelta(days=settings.oldest),
            notes=(
                *_notes(list_file, screened, effects),
                *(unscreened(facts.case) if list_file is settings.lists[0] else ()),
            ),
            rules=tuple(as_data(rule) for prohibition, rule in rules.values() if prohibition.file == list_file.label),
        )


def _notes(list_file: ListFile, screened: ScreenedCase, effects: Consequences) -> Iterator[str]:
    hits = [hit for hit in screened.hits if hit.file == list_file.label]
    prohibited, possible = (
        {prohibition.company for prohibition in group if prohibition.file == list_file.label}
        for group in (effects.prohibitions, effects.possible)
    )
    if prohibited:
        yield f"prohibits {first_few(sorted(prohibited), MAX_NAMES)}"
    if possible:
        yield f"may prohibit {first_few(sorted(possible), MAX_NAMES)} (--strict)"
    causes = {
        entry_of(hit) for group in (effects.prohibitions, effects.possible) for each in group for hit in each.causes
    }
    without_effect = [hit for hit in hits if entry_of(hit) not in causes]
    for band, verb in ((Band.MATCH, "names"), (Band.REVIEW, "may name")):
        if names := {hit.party.name for hit in without_effect if hit.band is band}:
            yield f"{verb} {first_few(sorted(names), MAX_NAMES)}, which prohibits no purchase"
    if all(hit.band is Band.NONE for hit in hits):
        yield "names no party behind the facilities"
    elif effects.unknown:
        owned = "1 company is" if len(effects.unknown) == 1 else f"{len(effects.unknown)} companies are"
        yield f"{owned} not proved to have no listed owners"
    yield from (text for file, text in screened.lapsed if file == list_file.label)


def _without_operator_names(hits: Sequence[ListHit], facilities: Iterable[Facility]) -> tuple[ListHit, ...]:
    """Return the hits without those of plants that are similar to an entry only through the name of their operator."""
    operators_of: dict[str, set[str]] = defaultdict(set)
    for facility in facilities:
        operators_of[facility.name].add(facility.supplier)
    scores = {(hit.party.name, hit.file, hit.entry.list, hit.entry.id): hit.score for hit in hits}

    def is_by_operator(hit: ListHit) -> bool:
        key = hit.file, hit.entry.list, hit.entry.id
        is_plant = hit.party.roles == ("facility",)
        return is_plant and all(
            scores.get((operator, *key), 0.0) >= hit.score for operator in operators_of[hit.party.name]
        )

    return tuple(hit for hit in hits if not is_by_operator(hit))


def unscreened(case: Case) -> Iterator[str]:
    count = sum(1 for stock in case.stocks if not stock.offer)
    if count:
        stocks = "1 stock in hand names" if count == 1 else f"{count} stocks in hand name"
        yield f"{stocks} no supplier, so deliveries from stock can't be screened"


def _read(
    settings: ScreeningSettings, folder_of: Callable[[str], Path], facilities: Iterable[Facility]
) -> tuple[list[ScreeningList], tuple[Stake, ...], tuple[ReviewDecision, ...]]:
    errors: list[FriendshoreError] = []
    lists = [attempt(partial(_list_of_case, list_file, folder_of("lists")), errors) for list_file in settings.lists]
    names = company_names(facilities)
    owners = attempt(
        lambda: read_owners(folder_of("owners") / settings.owners, names) if settings.owners else (), errors
    )
    decisions = attempt(
        lambda: read_decisions(folder_of("decisions") / settings.decisions) if settings.decisions else (), errors
    )
    if errors:
        raise InputError(problem for error in errors for problem in error.problems)
    return [each for each in lists if each is not None], owners or (), decisions or ()


def _list_of_case(list_file: ListFile, folder: Path) -> ScreeningList:
    if list_file.edition > today():
        found, expected = str(list_file.edition), f"{today()} or earlier"
        message, fix = "the edition has a future date", "write the publisher's date of the file"
        raise InputError(message, list_file.label, found=found, expected=expected, fix=fix, code="FS944")
    if list_file.file:
        return read_list(folder / list_file.file, list_file.file, list_file.format, list_file.edition, list_file.list)
    return read_installed(list_file.list, list_file.edition)
