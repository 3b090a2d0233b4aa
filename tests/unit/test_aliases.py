"""Ids that were renamed or retired: followed by who names them, told, and never ambiguous."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from friendshore import alternatives, why_not
from friendshore.case import load_case
from friendshore.catalog import load_catalog
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
stock = [{ material = "tin", quantity = "1 kg" }]
order = [{ offer = "from-mill", quantity = "10 kg", arrives = 2027-02-01 }]
incumbent = [{ offer = "from-mill", per_year = "1 t" }]
rule = [
    { kind = "pin", offer = "from-hill", at_least = "100 kg" },
    { kind = "max-share", by = "facility", share = "95%", materials = ["tin"] },
]
scenario = [{ name = "without", change = [{ remove = "mill" }] }]
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


def facts_of(file: Path) -> Any:
    """What a case and its catalog come to."""
    return gather(load_case(file), Registry.of())


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
    checked = check(case_on(tmp_path, today()), Registry.of())
    assert not checked.errors
    told = {(CASE.splitlines()[p.row - 1], p.fix) for p in checked.suggestions if "is called" in p.message}
    assert told >= {('id = "from-hill"', "write `hill-tin`"), ('material = "tin"', "write `tin-ingot`")}


def test_scenarios_and_changes_are_followed(tmp_path: Path) -> None:
    """What takes a facility away takes away the one that it is called today."""
    inputs = facts_of(case_on(tmp_path, today())).inputs
    assert inputs.case.scenarios[0].change[0].remove == "mill-1"
    after, wanted = (inputs.after([Change(remove=name)]).catalogs for name in ("mill", "mill-1"))
    assert after == wanted != inputs.catalogs


def test_questions_are_asked_by_the_names_of_before(tmp_path: Path) -> None:
    """Who still calls an offer or a material by the name of before is answered about that of today; of a retired one, day and reason are told."""
    gone = ALIASES + ",spot,,2026-10-01,the trader closed\n"
    session = plan_of(case_on(tmp_path, today(**{"aliases.csv": gone}))).session
    assert why_not(session, "from-hill").offer == "hill-tin"
    assert [mix.material for mix in alternatives(session, ["tin"]).materials] == ["tin-ingot"]
    with pytest.raises(InputError, match="was retired on 2026-10-01: the trader closed"):
        why_not(session, "spot")


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
        (",from-mill,from-hill,2026-05-01,x", "FS109"),
        (",a,b,2026-05-01,x\n,b,a,2026-05-02,x", "FS110"),
        (",a,a,2026-05-01,x", "FS110"),
        (",a,from-mil,2026-05-01,x", "FS102"),
        (",a,from-mill,2026-05-01,x\n,a,from-hill,2026-05-01,x", "already has the same of, old"),
        (",a,from-mill,,x", "FS004"),
        (",a,from-mill,2026-05-01,", "FS004"),
        ("site,a,b,2026-05-01,x", "FS003"),
    ],
)
def test_ambiguity_and_circles_are_mistakes(tmp_path: Path, rows: str, message: str) -> None:
    """An old id means one thing of today, or nothing."""
    folder = write(tmp_path / "ours", CATALOG | {"aliases.csv": f"{HEAD}{rows}\n"})
    assert [p for p in refused(load_catalog, folder) if message in p.first_line and p.row is not None]


@pytest.mark.parametrize(
    ("offer", "aliases", "message"),
    [
        ("from-mill", "", r"ours \[aliases\]: FS109"),
        ("x", ",from-mill,x,2026-05-01,x\n", r"theirs \[aliases\]: FS109"),
    ],
)
def test_two_catalogs_that_disagree_are_a_mistake(tmp_path: Path, offer: str, aliases: str, message: str) -> None:
    """What one renamed, another must neither use nor rename to something else."""
    theirs = {
        "catalog.toml": 'schema = 1\nname = "theirs"\nrequires = ["ours"]\n',
        "sources.csv": CATALOG["sources.csv"],
        "offers.csv": f"id,facility,material,price,source\n{offer},mill-1,tin-ingot,9 USD/kg,s\n",
        "aliases.csv": HEAD + aliases,
    }
    write(tmp_path / "theirs", theirs)
    with pytest.raises(InputError, match=message):
        facts_of(case_on(tmp_path, today(), CASE.replace('["./ours"]', '["./ours", "./theirs"]')))


def test_a_row_of_a_catalog_that_names_an_old_id_is_told_the_new_one(tmp_path: Path) -> None:
    """A catalog is data: it is mended, and not followed behind its owner's back."""
    files = today()
    files["offers.csv"] = files["offers.csv"].replace("mill-tin,mill-1", "mill-tin,mill")
    with pytest.raises(InputError, match="write `mill-1`: facility `mill` is called"):
        load_catalog(write(tmp_path / "ours", files))


def test_ways_of_several_steps() -> None:
    """Each step is followed, up to what was retired at last."""
    steps = ("ab", "bc", "de", "e")
    aliases = Aliases(Alias(old=way[0], new=way[1:], date=date(2026, 5, 1), reason="x") for way in steps)
    assert [alias.new for alias in aliases.path("offer", "a")] == ["b", "c"]
    assert aliases.retirement("d") is not None
    assert aliases.follower().record(Change(prove="a")).prove == "c"
    assert aliases.follower().record(Change(prove="d")).prove == "d"
    assert aliases.follower({"a"}).record(Change(remove="a")).remove == "a"


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
    lock = lock_of(facts_of(case_on(tmp_path, CATALOG)))
    renamed_ = lock_of(facts_of(case_on(tmp_path, today())))
    told = r"alias from-hill \(offer `from-hill` is called `hill-tin` since 2026-05-01: .*\) is new"
    with pytest.raises(PluginError, match=told):
        check_lock(lock, renamed_, tmp_path / "friendshore.lock")
