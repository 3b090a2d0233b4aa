"""Ids that were renamed or retired: followed by who names them, told, and never ambiguous."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from friendshore import alternatives, why_not
from friendshore.case import load_case
from friendshore.catalog import read_catalog
from friendshore.domain.change import Change
from friendshore.domain.naming import Alias, Aliases
from friendshore.errors import InputError, PluginError
from friendshore.plugins import Registry
from friendshore.recommend import check_lock, gather, lock_of, plan, verdicts
from friendshore.recommend.check import check
from friendshore.recommend.verify_run import verify_run
from friendshore.run import write_run

from ..building import refused

HEAD = "of,old,new,date,reason\n"
CATALOG = {
    "catalog.toml": 'schema = 1\nname = "ours"\n',
    "sources.csv": "id,reference,date,confidence\ns,somebody,2026-11-01,verified\n",
    "materials.csv": "id,element,form,basis,stages\ntin,Sn,metal,gross,\n",
    "facilities.csv": "id,country\nmill,MY\nhill,AU\n",
    "capacity.csv": "facility,per_year,status,source\nmill,9 t/year,operating,s\nhill,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,source\nfrom-mill,mill,tin,30 USD/kg,s\nfrom-hill,hill,tin,40 USD/kg,s\n",
}
CASE = """schema = 1
[case]
name = "c"
start = 2027-01-01
periods = 2
period = "year"
place = "US"
[use]
catalogs = ["./ours"]
[[assume.offer]]
id = "from-hill"
price = "35 USD/kg"
[[demand]]
material = "tin"
end_use = "civil"
per_year = "1 t"
[[stock]]
material = "tin"
quantity = "1 kg"
[[order]]
offer = "from-mill"
quantity = "10 kg"
arrives = 2027-02-01
[[incumbent]]
offer = "from-mill"
per_year = "1 t"
[[rule]]
kind = "pin"
offer = "from-hill"
at_least = "100 kg"
[[rule]]
kind = "max-share"
by = "facility"
share = "95 %"
materials = ["tin"]
[[scenario]]
name = "without"
[[scenario.change]]
remove = "mill"
"""
NEW = {"tin": "tin-ingot", "mill": "mill-1", "hill": "hill-1", "from-mill": "mill-tin", "from-hill": "hill-tin"}
ALIASES = HEAD + "".join(
    f"{of},{old},{NEW[old]},2026-05-01,one name for one thing\n"
    for of, old in (
        ("material", "tin"), ("facility", "mill"), ("facility", "hill"), ("", "from-mill"), ("offer", "from-hill"),
    )
)  # fmt: skip


def renamed(text: str) -> str:
    """A text with the names of today."""
    for old in ("from-mill", "from-hill", "mill", "hill"):
        for before, after in ((",", ","), ("\n", ","), ('"', '"')):
            text = text.replace(f"{before}{old}{after}", f"{before}{NEW[old]}{after}")
    return text.replace("\ntin,", "\ntin-ingot,").replace(",tin,", ",tin-ingot,").replace('"tin"', '"tin-ingot"')


def write(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def today(**more: str) -> dict[str, str]:
    """The catalog after everything was renamed."""
    return {name: renamed(text) for name, text in CATALOG.items()} | {"aliases.csv": ALIASES} | more


def case_on(tmp_path: Path, catalog: dict[str, str], case: str = CASE) -> Path:
    """The file of a case beside its catalog."""
    write(tmp_path / "ours", catalog)
    (tmp_path / "case.toml").write_text(case)
    return tmp_path / "case.toml"


def plan_of(file: Path) -> Any:
    """The plan of a case."""
    return plan(load_case(file), registry=Registry.of())


def test_a_case_with_old_names_gives_the_plan_of_one_with_those_of_today(tmp_path: Path) -> None:
    """Demands, stock, orders, incumbents, assumptions, pins and limits are followed, and each name is told."""
    old = plan_of(case_on(tmp_path / "old", today()))
    new = plan_of(case_on(tmp_path / "new", today(), renamed(CASE)))
    assert old.to_frame("purchases").equals(new.to_frame("purchases"))
    assert old.cost == new.cost
    told = [one.text for one in old.run.assumptions if one.subject == "renamed"]
    assert "offer `from-mill` is called `mill-tin` since 2026-05-01: one name for one thing" in told
    assert len(told) == 4  # `hill` is named by nothing
    assert not [one for one in new.run.assumptions if one.subject == "renamed"]


def test_check_says_where_an_old_name_stands(tmp_path: Path) -> None:
    """It is no mistake, and the line is told with what to write."""
    file = case_on(tmp_path, today())
    checked = check(file, Registry.of())
    assert not checked.errors
    lines = CASE.splitlines()
    told = {(p.row, p.fix) for p in checked.suggestions if "is called" in p.message}
    assert (lines.index('id = "from-hill"') + 1, "write `hill-tin`") in told
    assert (lines.index('material = "tin"') + 1, "write `tin-ingot`") in told


def test_scenarios_and_changes_are_followed(tmp_path: Path) -> None:
    """What takes a facility away takes away the one that it is called today."""
    gathered = gather(load_case(case_on(tmp_path, today())), Registry.of())
    change = gathered.inputs.case.scenarios[0].change[0]
    assert change.remove == "mill-1"
    after = gathered.inputs.after([Change(remove="mill")])
    assert after.catalogs == gathered.inputs.after([Change(remove="mill-1")]).catalogs != gathered.catalogs


def test_questions_are_asked_by_the_names_of_before(tmp_path: Path) -> None:
    """Who still calls an offer or a material by the name of before is answered about that of today; of a retired one, day and reason are told."""
    gone = ALIASES + ",spot,,2026-10-01,the trader closed\n"
    session = plan_of(case_on(tmp_path, today(**{"aliases.csv": gone}))).session
    assert why_not(session, "from-hill").offer == "hill-tin"
    assert [mix.material for mix in alternatives(session, ["tin"]).materials] == ["tin-ingot"]
    with pytest.raises(InputError, match="was retired on 2026-10-01: the trader closed"):
        why_not(session, "spot")


def test_rows_in_another_order_are_the_same_aliases(tmp_path: Path) -> None:
    """The digest of a catalog does not turn on the order of rows."""
    rows = ALIASES.removeprefix(HEAD).splitlines(keepends=True)
    first, second = (
        read_catalog(write(tmp_path / name, today(**{"aliases.csv": HEAD + "".join(lines)})))
        for name, lines in (("one", rows), ("two", rows[::-1]))
    )
    assert first.aliases == second.aliases
    assert first.digest == second.digest


def test_what_was_retired_is_refused_with_day_and_reason(tmp_path: Path) -> None:
    """Nothing takes its place, and who names it must decide."""
    files = dict(CATALOG)
    files["offers.csv"] = files["offers.csv"].replace("from-hill,hill,tin,40 USD/kg,s\n", "")
    files["aliases.csv"] = HEAD + ",from-hill,,2026-05-01,the hill was closed\n"
    for case in (CASE, CASE.replace('[[assume.offer]]\nid = "from-hill"\nprice = "35 USD/kg"\n', "")):
        found = check(case_on(tmp_path, files, case), Registry.of()).errors
        assert [p for p in found if "was retired on 2026-05-01: the hill was closed" in p.message], found


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (",from-mill,from-hill,2026-05-01,x\n", "is the id of an offer still"),
        (",a,b,2026-05-01,x\n,b,a,2026-05-02,x\n", "leads back to itself"),
        (",a,a,2026-05-01,x\n", "leads back to itself"),
        (",a,from-mil,2026-05-01,x\n", "no such offer"),
        (",a,from-mill,2026-05-01,x\n,a,from-hill,2026-05-01,x\n", "already has the same of, old"),
        (",a,from-mill,,x\n", "this cell is needed"),
        (",a,from-mill,2026-05-01,\n", "this cell is needed"),
        ("site,a,b,2026-05-01,x\n", "cannot be read"),
    ],
)
def test_ambiguity_and_circles_are_mistakes(tmp_path: Path, rows: str, message: str) -> None:
    """An old id means one thing of today, or nothing."""
    assert [
        p
        for p in refused(read_catalog, write(tmp_path / "ours", CATALOG | {"aliases.csv": HEAD + rows}))
        if message in p.message and p.row is not None
    ]


def test_two_catalogs_that_disagree_are_a_mistake(tmp_path: Path) -> None:
    """What one renamed, another must neither use nor rename to something else."""
    other = {
        "catalog.toml": 'schema = 1\nname = "theirs"\nrequires = ["ours"]\n',
        "sources.csv": CATALOG["sources.csv"],
    }
    offers = "id,facility,material,price,source\n{},mill-1,tin-ingot,9 USD/kg,s\n"
    case = CASE.replace('["./ours"]', '["./ours", "./theirs"]')
    for files, message in (
        ({"offers.csv": offers.format("from-mill")}, "catalog `theirs` has one of that id"),
        (
            {"offers.csv": offers.format("x"), "aliases.csv": HEAD + ",from-mill,x,2026-05-01,x\n"},
            "became `mill-tin` by",
        ),
    ):
        folder = tmp_path / message[-5:-3]
        write(folder / "theirs", other | files)
        with pytest.raises(InputError, match=message):
            gather(load_case(case_on(folder, today(), case)), Registry.of())


def test_a_row_of_a_catalog_that_names_an_old_id_is_told_the_new_one(tmp_path: Path) -> None:
    """A catalog is data: it is mended, and not followed behind its owner's back."""
    files = today()
    files["offers.csv"] = files["offers.csv"].replace("mill-tin,mill-1", "mill-tin,mill")
    with pytest.raises(InputError, match="write `mill-1`: facility `mill` is called"):
        read_catalog(write(tmp_path / "ours", files))


def test_ways_of_several_steps() -> None:
    """Each step is followed, up to what was retired at last."""
    day = date(2026, 5, 1)
    aliases = Aliases(
        Alias(old=a, new=b, date=day, reason="x") for a, b in (("a", "b"), ("b", "c"), ("d", "e"), ("e", ""))
    )
    assert [alias.new for alias in aliases.way("offer", "a")] == ["b", "c"]
    assert aliases.retired("d") is not None
    assert aliases.following().record(Change(prove="a")).prove == "c"
    assert aliases.following().record(Change(prove="d")).prove == "d"
    assert aliases.following({"a"}).record(Change(remove="a")).remove == "a"


def test_an_older_run_is_verified_against_a_case_whose_names_have_changed(tmp_path: Path) -> None:
    """The run follows from its own facts; compared under the names of today it is what the case says, and the names are told."""
    file = case_on(tmp_path, CATALOG)
    run, made = tmp_path / "run", plan_of(file)
    write_run(run, made.run, made.facts(), verdicts(made.plan))
    assert verify_run(run, Registry.of(), file).verified
    case_on(tmp_path, today(), renamed(CASE))
    again = verify_run(run, Registry.of(), file)
    assert again.findings == ()
    assert "offer `from-hill` is called `hill-tin` since 2026-05-01: one name for one thing" in again.differs
    case_on(tmp_path, today() | {"offers.csv": today()["offers.csv"].replace("30 USD", "31 USD")}, renamed(CASE))
    assert [f for f in verify_run(run, Registry.of(), file).findings if "mill-tin" in f.message]


def test_a_lock_says_what_was_renamed(tmp_path: Path) -> None:
    """A locked case refuses it as any other change of its data, and says that it is a new name."""
    file = case_on(tmp_path, CATALOG)
    lock = lock_of(gather(load_case(file), Registry.of()))
    case_on(tmp_path, today())
    with pytest.raises(
        PluginError, match=r"alias from-hill \(offer `from-hill` is called `hill-tin` since 2026-05-01: .*\) is new"
    ):
        check_lock(lock, lock_of(gather(load_case(file), Registry.of())), tmp_path / "friendshore.lock")
