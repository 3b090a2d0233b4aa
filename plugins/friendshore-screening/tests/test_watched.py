"""Two editions of a list over cases: what turns is what turns when everybody is looked up by hand, for every offer and every single day."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.settings import examples

from friendshore.plugins import Registry
from friendshore_watch import editions_of, watch
from friendshore_watch.records import Watched

from .test_screen import CASE, case, data, run, write_catalog

__all__ = ["case"]

OPERATORS = ("Hentzau Metals", "Zenda Smelting", "Acme")
"""Those of the small case, in the order of its offers."""
OFFERS = ("from-cheap", "from-owned", "from-dear")
OWNERS = ("Strelsau Holding", "Ruritania Trust")
START = date(2027, 1, 1)
DAYS = st.dates(date(2026, 12, 1), date(2028, 2, 1))


Days = tuple[date | None, date | None]
"""First and last day of an entry; None: since ever, for good."""
ALWAYS: Days = (None, None)


class Held(NamedTuple):
    """So many hundredths of an operator, from a day to another."""

    owner: str
    owned: str
    share: int
    first: date
    last: date


@st.composite
def stakes(draw: Any) -> list[Held]:
    """Who holds what of whom; the rest of each operator is said to be independent on every day."""
    found = []
    for owner in OWNERS:
        for operator in draw(st.sets(st.sampled_from(OPERATORS))):
            first, last = sorted((draw(DAYS), draw(DAYS)))
            found.append(Held(owner, operator, draw(st.sampled_from([20, 30, 40, 50])), first, last))
    return sorted(found, key=lambda one: one[1::-1])


def table_of(held: Sequence[Held]) -> str:
    """The table of owners: on every day, all of each operator is somebody's."""
    rows = []
    for operator in OPERATORS:
        own = [one for one in held if one.owned == operator]
        rows += [f"{one.owner},{operator},{one.share}%,{one.first},{one.last},s" for one in own]
        turns = sorted({date(2020, 1, 1), *(one.first for one in own), *(one.last + timedelta(1) for one in own)})
        for n, day in enumerate(turns):
            rest = 100 - sum(one.share for one in own if one.first <= day <= one.last)
            until = turns[n + 1] - timedelta(1) if n + 1 < len(turns) else ""
            if rest:
                rows.append(f"independent,{operator},{rest}%,{day},{until},s")
    return "\n".join(["owner,owned,share,from,until,source", *rows, ""])


def edition(folder: Path, names: Mapping[str, Days], listed: str) -> Path:
    """An edition of a list, with the file of settings that names it: who stands there, and from when to when."""
    folder.mkdir()
    rows = [f"{name},{first or ''},{last or ''},invented" for name, (first, last) in names.items()]
    (folder / "list.csv").write_text("\n".join(["name,from,until,source", *rows, ""]))
    one = f'{{ file = "list.csv", format = "table", list = "{listed}", edition = 2026-11-20 }}'
    (folder / "edition.toml").write_text(f"[plugin.friendshore-screening]\nlists = [{one}]\n")
    return folder / "edition.toml"


def written(folder: Path, held: Sequence[Held], use: str = "civil") -> Path:
    """The small case with these owners."""
    write_catalog(folder, replaced=("Strelsau Holding", ""))
    (folder / "owners.csv").write_text(table_of(held))
    text = CASE.partition("lists =")[0].replace('"civil"', f'"{use}"')
    (folder / "case.toml").write_text(text + 'owners = "owners.csv"\n')
    return folder / "case.toml"


def by_hand(names: Mapping[str, Days], held: Sequence[Held], listed: str, use: str) -> dict[tuple[str, date], str]:
    """Return the verdict on each offer and day: prohibited if its operator is listed, or listed parties own half of it."""
    found = {}
    about = listed == "us-sdn" or use == "defense"
    for day in (START + timedelta(n) for n in range(365)):
        on_it = {name for name, (first, last) in names.items() if (first or day) <= day <= (last or day)}
        stakes = [one for one in held if one.owner in on_it and one.first <= day <= one.last]
        for offer, operator in zip(OFFERS, OPERATORS, strict=True):
            owned = sum(stake.share for stake in stakes if stake.owned == operator)
            meant = operator in on_it or owned > 50 or (owned == 50 and listed == "us-sdn")
            found[offer, day] = "fail" if meant and about else "pass"
    return found


def told(found: Watched) -> dict[tuple[str, date], tuple[str, str]]:
    return {
        (flip.offer, flip.start + timedelta(n)): (flip.before, flip.after)
        for flip in found.changed_verdicts
        for n in range((flip.end - flip.start).days + 1)
    }


ENTRY_DAYS = st.one_of(st.just(ALWAYS), st.tuples(DAYS, st.none()), st.tuples(DAYS, DAYS).map(sorted).map(tuple))
NAMES = st.dictionaries(st.sampled_from((*OPERATORS, *OWNERS, "Nobody at all")), ENTRY_DAYS, min_size=1)


@examples(150, least=4)
@given(stakes(), NAMES, NAMES, st.sampled_from(["us-sdn", "us-1260h"]), st.sampled_from(["civil", "defense"]))
def test_what_turns_is_what_every_single_day_says(
    monkeypatch: pytest.MonkeyPatch, held: list[Held], old: dict[str, Days], new: dict[str, Days], listed: str, use: str
) -> None:
    """Listed or owned by listed parties, added up, on each day, under each edition, while their entries stand there: the same offers turn on the same days."""
    monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "0")
    with tempfile.TemporaryDirectory() as name:
        folder, registry = Path(name), Registry.discover()
        sides = [edition(folder / side, names, listed) for side, names in (("old", old), ("new", new))]
        answer = watch(editions_of(*map(str, sides), registry), [written(folder, held, use)], registry=registry)
    assert [case.error for case in answer.cases] == [()]
    was, now = (by_hand(names, held, listed, use) for names in (old, new))
    assert told(answer) == {key: (was[key], now[key]) for key in was if was[key] != now[key]}


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two editions: the second names the cheapest supplier."""
    folder = tmp_path / "editions"
    folder.mkdir()
    return (
        edition(folder / "old", {"Nobody at all": ALWAYS}, "us-sdn"),
        edition(folder / "new", {"Hentzau Metals": ALWAYS}, "us-sdn"),
    )


@pytest.mark.parametrize("strict", [(), ("--strict",)])
def test_a_new_edition_of_a_list_is_priced(case: Path, sides: tuple[Path, Path], strict: tuple[str, ...]) -> None:
    """By offer, days, kilograms and money, with the cheapest plan under each; the rest of what a case sets stays its own; strictness asks for no new edition."""
    found = data("watch", *sides, case, *strict, code=7)
    (flip,) = found["changed_verdicts"]
    assert (flip["offer"], flip["before"], flip["after"], flip["quantity_kg"]) == ("from-cheap", "pass", "fail", 1000)
    assert flip["after_by"] == ["us-sdn-blocked-hentzau-metals"]
    assert "Hentzau Metals is entry" in flip["reason"]
    (one,) = found["cases"]
    assert one["uses"] == ["settings friendshore-screening.lists"]
    assert one["comparison"]["cost_after"]["total"] > one["comparison"]["cost_before"]["total"]
    assert {line["kind"] for line in one["comparison"]["facts"]} <= {"rule"}


@pytest.mark.deep
def test_of_many_cases_each_is_judged_by_its_own(
    case: Path, sides: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin is asked of all of them in one process, where it keeps lists and names: what turns is what turns in each alone."""
    shutil.copytree(case / "catalog", tmp_path / "second/catalog")
    text = (case / "case.toml").read_text().replace('"small"', '"second"').replace('place = "US"', 'place = "PR"')
    (tmp_path / "second/case.toml").write_text(text)
    facilities = tmp_path / "second/catalog/facilities.csv"
    facilities.write_text(
        facilities.read_text().replace("Hentzau Metals", "Acme Two").replace("Acme,", "Hentzau Metals,")
    )
    registry = Registry.discover()
    editions = editions_of(*map(str, sides), registry)
    cases = [case / "case.toml", tmp_path / "second/case.toml"]
    together = watch(editions, cases, registry=registry, workers=1)
    monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "0")
    alone = [watch(editions, [case], registry=registry, workers=1) for case in cases]
    assert [(flip.case, flip.offer) for flip in together.changed_verdicts] == [
        ("small", "from-cheap"),
        ("second", "from-dear"),
    ]
    assert together.changed_verdicts == (*alone[0].changed_verdicts, *alone[1].changed_verdicts)


def test_a_case_without_lists_uses_none(case: Path, sides: tuple[Path, Path]) -> None:
    """It is left alone."""
    (case / "case.toml").write_text(CASE.partition("[plugin")[0])
    assert data("watch", *sides, case)["cases"][0]["uses"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[plugin.friendshore-screenin]\nlists = []\n", "no plugin `friendshore-screenin`"),
        ("lists = []\n", "FS973"),
        ("[plugin.friendshore-screening]\nowners = ''\n", "FS970"),
        ("[plugin\n", "edition.toml"),
        ("", "FS971"),
    ],
)
def test_a_file_that_is_no_edition(case: Path, sides: tuple[Path, Path], text: str, message: str) -> None:
    """Its mistakes are told with the file."""
    sides[1].write_text(text)
    assert message in run("watch", *sides, case, code=2)
