"""What a list bars: `law.toml`, as rules that a plan knows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from friendshore.domain.base import Record
from friendshore.domain.countries import countries_of
from friendshore.domain.time import Span
from friendshore.rules.base import Phase, Rule
from friendshore.rules.kinds.trade import Exclude

from .lists.entries import ListEntry
from .ownership import Attributed, Share50

OwnershipRule = Literal["", "ofac-50", "bis-50", "eu-50", "control", "feoc-25"]
RULES: Mapping[str, Share50 | Attributed] = {
    "ofac-50": Share50(),
    "bis-50": Share50(),
    "eu-50": Share50(control=True),
    "control": Share50(more_than=True, control=True),
    "feoc-25": Attributed(),
}
"""How each counts shares. Those of the Union and of section 805 turn on control too, which no share disproves."""

_POSSESSIONS = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})
"""Of the United States, with country codes of their own: their law binds buyers there."""


class ListLaw(Record):
    """What a list bars, or what else it says."""

    list: str
    programs: tuple[str, ...] = ()
    """Programmes of the list that it is about; none: all but `besides`."""
    besides: tuple[str, ...] = ()
    """Programmes of the list that another law is about."""
    id: str = ""
    """Empty: it bars nothing of what is bought."""
    title: str = ""
    says: str = ""
    """Where it bars nothing that is bought: what it does."""
    citation: str
    source: str
    note: str = ""
    buyers: tuple[str, ...] = ()
    """Countries or groups whose buyers it binds; none: all."""
    end_uses: tuple[str, ...] = ()
    """End uses that it is about; none: all."""
    ownership: OwnershipRule = ""
    """How far it reaches whoever listed parties own; empty: not at all."""
    phases: tuple[Phase, ...] = ()

    def is_about(self, entry: ListEntry) -> bool:
        """Whether it is about an entry: of its list, and of one of its programmes."""
        told = set(entry.programs)
        mine = not self.programs or bool(told & set(self.programs))
        return entry.list == self.list and mine and not (told and told <= set(self.besides))

    @property
    def places(self) -> frozenset[str]:
        """Country codes of the buyers whom it binds; none: all."""
        found = frozenset(code for word in self.buyers for code in countries_of(word))
        return found | _POSSESSIONS if "US" in found else found

    def binds(self, places: Iterable[str]) -> bool:
        """Whether it binds a buyer in one of some countries."""
        return not self.buyers or not self.places.isdisjoint(places)

    def status(self, day: date) -> str:
        """What is known of it on a day: `unknown` where no days of it are known; empty: it does not hold then."""
        if not self.phases:
            return "unknown"
        held = (phase for phase in self.phases if phase.span.meets(Span(start=day, end=day)))
        return next((phase.status.value for phase in held), "")

    def rule(self, name: str, party: str, facilities: Iterable[str], phases: Sequence[Phase], why: str) -> Rule:
        """The rule, under a name, that keeps what the facilities of a party make out of a plan, and says why."""
        return Exclude(
            id=name,
            title=f"{self.title}: {party}",
            citation=self.citation,
            note=self.note,
            source=self.source,
            facilities=frozenset(facilities),
            end_uses=frozenset(self.end_uses),
            places=self.places,
            why=why,
            phases=tuple(phases),
        )

    def within(self, start: date | None, end: date | None) -> tuple[Phase, ...]:
        """Its phases as far as they lie within some days."""
        cut = (_cut(phase, start, end) for phase in self.phases)
        return tuple(phase for phase in cut if phase is not None)


def _cut(phase: Phase, start: date | None, end: date | None) -> Phase | None:
    first = max((day for day in (phase.start, start) if day is not None), default=None)
    last = min((day for day in (phase.end, end) if day is not None), default=None)
    if first is not None and last is not None and last < first:
        return None
    return phase.model_copy(update={"start": first, "end": last})


def day_before(day: date) -> date:
    """The day before a day."""
    return day - timedelta(days=1)


@lru_cache(maxsize=1)
def laws() -> tuple[ListLaw, ...]:
    """All that `law.toml` says: what bars first."""
    data = tomllib.loads(files(__package__).joinpath("law.toml").read_text(encoding="utf-8"))
    return tuple(ListLaw.model_validate(one) for key in ("bar", "other") for one in data[key])
