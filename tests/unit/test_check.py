"""Checks: every mistake of every file at once, and rules, dates, and words that do nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from friendshore import recommend
from friendshore.case import load_case
from friendshore.catalog import several
from friendshore.catalog.folder import CatalogDraft, read_draft
from friendshore.catalog.tables import CatalogTables
from friendshore.cli.cases import write_starter
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.problem.given import end_uses
from friendshore.recommend.check import Checked, check
from friendshore.rules.base import Rule

from ..building import ban, case, demand, refused

# ------------------------------------------------------------------------------------------------- every mistake at once


NAMES = """
[[order]]
offer = "kwinana-galium"
quantity = "5 t"
arrives = 2026-12-01

[[stock]]
material = "gallium-5n"
quantity = "5 t"

[[waiver]]
rule = "defence-origin"
quantity = "5 kg"

[[scenario]]
name = "s"
change = [
  { disable = "halv" },
  { prove = "quebec" },
]
"""
PACK = """schema = 1
id = "house"
title = "House"
as_of = "yesterday"

[[rule]]
kind = "max-share"
id = "too-much"
citation = "c"
share = "150 %"

[[rule]]
kind = "tarif"
id = "duty"
citation = "c"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter's case and catalog, without a mistake."""
    write_starter(tmp_path)
    return tmp_path


def add(path: Path, text: str) -> None:
    """Writes something at the end of a file."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def places(found: tuple[Diagnostic, ...], folder: Path) -> set[tuple[str, str]]:
    """File and last word of the column of every problem; each has a line, if it is of a line at all."""
    return {(Path(p.file).relative_to(folder).as_posix(), p.column.rpartition(".")[2]) for p in found}


def line_of(path: Path, text: str) -> int:
    """The first line that holds a text."""
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def test_every_mistake_of_files_of_every_kind_is_told_at_once(folder: Path) -> None:
    """A case, its table of demands, a catalog, a pack, rules of both, and names in between: one round, sixteen mistakes."""
    case = folder / "case.toml"
    text = case.read_text(encoding="utf-8").replace("packs = []", 'packs = ["./law"]\ndemand = "demand.csv"')
    case.write_text(text.replace('place = "US" ', 'place = "Amerika" '), encoding="utf-8")
    add(
        case,
        NAMES
        + '\n[[rule]]\nkind = "max-share"\nid = "half"\nshare = "half"\n\n[[store]]\nmaterial = "gallium-4n"\nlimit = "5 tonn"\n',
    )
    (folder / "law").mkdir()
    (folder / "law" / "pack.toml").write_text(PACK)
    (folder / "demand.csv").write_text("material,end_use,quantity\ngallium-6n,civil,5 kg\ngallium-4n,civil,5 kilo\n")
    add(
        folder / "catalog" / "offers.csv",
        "euro-gallium,quebec,gallium-4n,700 EUR/kg,invented,50 kilo,1 quarter,invented\n",
    )
    add(folder / "catalog" / "facilities.csv", "nowhere,Atlantis\n")
    found = recommend.check(folder, Registry.of()).errors
    assert places(found, folder) == {
        ("case.toml", "place"), ("case.toml", "offer"), ("case.toml", "material"), ("case.toml", "rule"),
        ("case.toml", "disable"), ("case.toml", "prove"), ("case.toml", "share"), ("case.toml", "limit"),
        ("demand.csv", "material"), ("demand.csv", "quantity"), ("law/pack.toml", "as_of"), ("law/pack.toml", "share"),
        ("law/pack.toml", "kind"), ("catalog/offers.csv", "min_order"), ("catalog/offers.csv", "price"),
        ("catalog/facilities.csv", ""),
    }  # fmt: skip
    assert len(found) == 16
    assert all(problem.row is not None and problem.found for problem in found)
    assert all(problem.expected or problem.fix or " is not " in problem.message for problem in found)
    rows = {(Path(p.file).name, p.column.rpartition(".")[2]): p.row for p in found}
    assert rows["case.toml", "offer"] == line_of(case, "kwinana-galium")
    assert rows["case.toml", "prove"] == line_of(case, "prove")
    assert rows["demand.csv", "material"] == 2
    assert rows["pack.toml", "share"] == line_of(folder / "law" / "pack.toml", "max-share") - 1


@pytest.mark.parametrize(
    "told",
    [
        '[[rule]]\nkind = "exclude"\nid = "twice"\noffers = ["quebec"]\n' * 2,
        '[[rule]]\nkind = "exclude"\nid = ["Ga"]\n',
    ],
    ids=["twice", "no text"],
)
def test_a_rule_that_cannot_be_named_hides_no_other_mistake(folder: Path, told: str) -> None:
    """Two rules of one id, or one of an id that is no text, beside a table that is not known: each is told."""
    add(folder / "case.toml", f"\n{told}\n[no-table]\n")
    found = {p.column for p in recommend.check(folder, Registry.of()).errors}
    assert "no-table" in found
    assert any(column.endswith("id") for column in found)


class Speechless(Rule):
    """A kind whose author forgot what it says."""

    kind: Literal["speechless"] = "speechless"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Passes everything."""
        return PASS

    def sentence(self) -> str:
        """No text."""
        return None  # type: ignore[return-value]


@pytest.mark.usefixtures("site")
def test_a_rule_without_a_sentence_is_told(folder: Path) -> None:
    """A plan says its rules in sentences: what `check` lets pass must not keep it from being told."""
    add(folder / "case.toml", '\n[[rule]]\nkind = "speechless"\nid = "mum"\n')
    (problem,) = recommend.check(folder, Registry.of(kinds=[Speechless])).errors
    assert "`sentence` answers None, no text" in problem.message


def test_names_that_a_row_with_a_mistake_may_define_are_not_told(folder: Path) -> None:
    """What refers to a bad row, table or pack is no mistake of its own."""
    add(folder / "case.toml", '\n[[order]]\noffer = "new-gallium"\nquantity = "5 t"\narrives = 2026-12-01\n')
    add(folder / "case.toml", '\n[[incumbent]]\noffer = "other-gallium"\nper_year = "5 t"\n')
    add(folder / "catalog" / "offers.csv", "new-gallium,quebec,gallium-4n,700 USD,invented,,,invented\n")
    told = recommend.check(folder, Registry.of()).errors
    assert places(told, folder) == {("catalog/offers.csv", "price"), ("case.toml", "offer")}
    (folder / "catalog" / "offers.csv").write_bytes("id,facility\nПервый,завод\n".encode("cp1251"))
    (only,) = recommend.check(folder, Registry.of()).errors
    assert "Windows-1251" in only.message


@pytest.mark.parametrize("ask", ["check", "plan"])
def test_unknown_names_are_told_with_file_and_line(ask: str, folder: Path) -> None:
    """Where nothing else is wrong too: by `plan` as by `check`, and a name that stands twice is told twice."""
    case = folder / "case.toml"
    add(case, NAMES + '\n[[order]]\noffer = "kwinana-galium"\nquantity = "1 t"\narrives = 2026-12-01\n')
    add(folder / "catalog" / "offers.csv", "euro-gallium,quebec,gallium-4n,700 EUR/kg,invented,,1 quarter,invented\n")
    found: tuple[Diagnostic, ...] = ()
    try:
        found = recommend.check(folder, Registry.of()).errors if ask == "check" else ()
        recommend.plan(load_case(folder), registry=Registry.of())
    except FriendshoreError as error:
        found = found or error.problems
    places_told = [(Path(p.file).name, p.row) for p in found if "scenario" not in p.message]
    lines = case.read_text(encoding="utf-8").splitlines()
    orders = [("case.toml", n) for n, line in enumerate(lines, 1) if "kwinana-galium" in line]
    others = [("case.toml", line_of(case, "gallium-5n")), ("case.toml", line_of(case, "defence-origin"))]
    assert len(orders) == 2
    assert sorted(places_told) == sorted([*orders, *others, ("offers.csv", 5)])
    assert any("no exchange rate from EUR to USD" in p.message and "state the amount in USD" in p.fix for p in found)


def test_a_scenario_asked_for_tells_where_it_is_wrong(folder: Path) -> None:
    """With the line of the change."""
    add(folder / "case.toml", NAMES.partition("[[scenario]]")[1] + NAMES.partition("[[scenario]]")[2])
    rows = {problem.row for problem in refused(recommend.plan, load_case(folder), registry=Registry.of(), scenario="s")}
    assert rows == {line_of(folder / "case.toml", "disable"), line_of(folder / "case.toml", "prove")}


def test_what_a_rule_names_is_told_where_it_stands(folder: Path) -> None:
    """A pin of an offer that is not there: the line on which the rule names it."""
    add(folder / "case.toml", '\n[[rule]]\nkind = "pin"\nid = "fixed"\noffer = "quebec"\nat_most = "5 t"\n')
    (problem,) = recommend.check(folder, Registry.of()).errors
    assert problem.row == line_of(folder / "case.toml", 'offer = "quebec"')
    assert problem.message == "rule `fixed` names the offer `quebec`, which is not there"


def test_a_price_or_a_capacity_of_nothing_is_told(folder: Path) -> None:
    """A free offer would be bought first, an order of at most nothing never: each may be a gap in a table, and stands first."""
    catalog = folder / "catalog"
    offers = (catalog / "offers.csv").read_text(encoding="utf-8")
    (catalog / "offers.csv").write_text(offers.replace("540 USD/kg", "0 USD/kg"), encoding="utf-8")
    capacity = (catalog / "capacity.csv").read_text(encoding="utf-8").splitlines()
    cells = capacity[1].split(",")
    cells[capacity[0].split(",").index("per_year")] = "0"
    (catalog / "capacity.csv").write_text(
        "\n".join([capacity[0], ",".join(cells), *capacity[2:]]) + "\n", encoding="utf-8"
    )
    told = recommend.check(folder, Registry.of())
    assert not told.errors
    first, second = (problem.message for problem in told.suggestions if " 0" in problem.message)
    assert first == "`kwinana-gallium` costs nothing: its price is 0"
    assert second == f"`{cells[0]}` can make nothing: its capacity is 0 on every day"
    (catalog / "offers.csv").write_text(offers.replace("540 USD/kg", "0"), encoding="utf-8")
    (problem,) = recommend.check(folder, Registry.of()).errors
    assert (problem.column, problem.row) == ("price", line_of(catalog / "offers.csv", "kwinana"))


def test_catalogs_are_read_once_where_names_are_unknown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the catalogs define is known from reading them, and they are not read again for it."""
    add(folder / "case.toml", NAMES + '\n[[rule]]\nkind = "max-share"\nid = "much"\nshare = "150 %"\n')
    read: list[str] = []

    def counted(tables: CatalogTables, *given: Any) -> CatalogDraft:
        read.append(tables.head_file)
        return read_draft(tables, *given)

    monkeypatch.setattr(several, "read_draft", counted)
    found = recommend.check(folder, Registry.of()).errors
    assert {"`kwinana-galium`", "kwinana-galium"} & {problem.found for problem in found}
    assert len(read) == len(set(read)) > 0


@pytest.mark.parametrize("wrong", [True, False])
def test_days_and_lists_are_checked_beside_another_mistake_of_their_table(folder: Path, wrong: bool) -> None:
    """Stock of the future, an order that comes too late, and a list of the wrong length, also where the same table has a bad mass."""
    bad = "pood" if wrong else "kg"
    lots = f'\n[[stock]]\nmaterial = "gallium-4n"\nquantity = "5 {bad}"\nacquired = 2099-01-01\n'
    lots += f'\n[[order]]\noffer = "kwinana-gallium"\nquantity = "5 {bad}"\narrives = 2099-01-01\n'
    lots += f'\n[[demand]]\nmaterial = "gallium-4n"\nend_use = "civil"\nquantities = ["5 kg"]\nshortage_price = "5 USD/{bad}"\n'
    add(folder / "case.toml", lots)
    found = recommend.check(folder, Registry.of()).errors
    told = {(p.column, p.found) for p in found if "pood" not in p.found}
    assert told == {
        ("stock[1].acquired", "`2099-01-01`"),
        ("order[1].arrives", "`2099-01-01`"),
        ("demand[3].quantities", "`[5 kg]`"),
    }
    rows = {p.row for p in found if p.found == "`2099-01-01`"}
    assert rows == {line_of(folder / "case.toml", "acquired = 2099"), line_of(folder / "case.toml", "arrives = 2099")}


# ----------------------------------------------------------------------------------------------------- what does nothing


STOCK = Path(__file__).parents[2] / "docs" / "cases" / "small" / "stock"

Told = Callable[[str, str, str], Checked]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What is said of the case about stock after an edit of a file."""
    folder = Path(shutil.copytree(STOCK, tmp_path / "stock"))

    def tell(file: str, old: str, new: str) -> Checked:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return check(folder, Registry.of())

    return tell


def suggested(found: Checked, *words: str) -> bool:
    """Whether one suggestion holds all the words."""
    assert not found.errors, found.errors
    return sum(all(word in str(told) for word in words) for told in found.suggestions) == 1


USE = 'end_use = "defense"'


@pytest.mark.parametrize("word", ["defens", "defnse", "DoD", "civl", "dеfense", "defense\u200b", "Defence"])
def test_an_end_use_that_would_escape_every_rule_is_a_mistake(word: str, told: Told) -> None:
    """A ban on goods for defence does not look at goods for `defens`: the plan would be called compliant."""
    (error,) = told("case.toml", USE, f'end_use = "{word}"').errors
    assert error.column == "demand[2].end_use"
    assert "did you mean" in error.fix or "type the name again" in error.fix


def test_an_end_use_of_its_own_is_no_mistake(told: Told) -> None:
    """`civic` is no slip of `civil`, nor is what has a part of its own; that no rule for defence looks at it is told."""
    assert suggested(told("case.toml", USE, 'end_use = "civic"'), "no rule names the end use `civic`")


@pytest.mark.parametrize("word", ["defense-spares", "defence-us", "us_DoD"])
def test_an_end_use_that_is_a_part_of_one_that_a_rule_names_is_told_and_not_taken_by_the_strict(
    word: str, told: Told, tmp_path: Path
) -> None:
    """A ban on goods for defence does not look at goods for `defense-spares`; a rule that names these makes them a use of its own."""
    found = told("case.toml", USE, f'end_use = "{word}"')
    assert suggested(found, f"no rule names the end use `{word}`", "case.toml:29", "did you mean `defense`?")
    (error,) = check(tmp_path / "stock", Registry.of(), strict=True).errors
    assert (error.found, error.row) == (word, 29)
    told("case.toml", 'end_uses = ["defense"]', f'end_uses = ["defense", "{word}"]')
    assert not check(tmp_path / "stock", Registry.of(), strict=True).errors


def test_an_end_use_nearly_named_by_a_rule_is_told() -> None:
    """The rule is for turbines, the demand for a turbine: the rule does not look at it."""
    rule = ban("mined", end_uses=["turbines"])
    (found,) = end_uses(case(demand("metal", "turbine", 10)), [rule])
    assert found.fix.startswith("did you mean `turbines`?")
    (other,) = end_uses(case(demand("metal", "lamps", 10)), [rule])
    assert not other.fix


def test_a_pack_that_is_called_as_an_installed_one_is_told(tmp_path: Path) -> None:
    """A plan by the case's own `us-10usc4872` names that law, and may hold nothing of it: here a rule that never holds."""
    folder = Path(shutil.copytree(STOCK, tmp_path / "stock"))
    (folder / "law").mkdir()
    text = 'schema = 1\nid = "us-10usc4872"\ntitle = "Mine"\nas_of = 2026-01-01\n'
    text += '[[rule]]\nkind = "exclude"\nid = "empty"\ncountries = ["CN"]\nsource = "x"\ncitation = "x"\nphases = []\n'
    (folder / "law" / "pack.toml").write_text(text, encoding="utf-8")
    case = folder / "case.toml"
    case.write_text(case.read_text(encoding="utf-8").replace("[use]", '[use]\npacks = ["./law"]', 1), encoding="utf-8")
    found = check(folder, Registry.of(packs={"us-10usc4872": folder / "law"}))
    assert suggested(found, "`us-10usc4872` is that of the case", "given in memory brings")
    assert suggested(found, "rule `empty` of us-10usc4872 has no phase", str(folder / "law" / "pack.toml"))


def test_a_ban_from_another_century_is_told(told: Told) -> None:
    """2207 for 2027: the ban never holds, and nothing else says so."""
    found = told("case.toml", "phases = [{ from = 2027-01-01 }]", "phases = [{ from = 2207-01-01 }]")
    assert suggested(found, "rule `by-order` holds on no day of the plan", "2207-01-01")
    assert suggested(found, "2207-01-01 is far from the plan", "check the year")


def test_an_offer_from_another_century_is_told(told: Told) -> None:
    """Dates of catalogs as well as those of rules."""
    found = told(
        "catalog/offers.csv",
        "price_source,source\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented",
        "price_source,source,until\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented,9999-12-31\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented,2207-12-30",
    )
    assert suggested(found, "2207-12-31 is far from the plan")
    assert not any("9999" in str(told) for told in found.suggestions)


@pytest.mark.parametrize(
    ("listed", "slips"), [("Hil Metals", True), ("HILL METALS Ltd.", True), ("hill metals", False), ("Norinco", False)]
)
def test_a_company_that_is_nearly_kept_out_is_told(listed: str, slips: bool, told: Told) -> None:
    """Who is kept out by a name with a slip is bought from; a list may name many whom the case does not know."""
    rule = f'[[rule]]\nkind = "exclude"\nid = "out"\nsuppliers = ["{listed}"]\n\n[[scenario]]'
    found = told("case.toml", "[[scenario]]", rule)
    assert suggested(found, "rule `out` keeps out", "did you mean `Hill Metals`?") is slips


def test_a_ban_on_a_stage_that_no_material_has_is_told(told: Told) -> None:
    """Antimony is mined and refined: a ban on where it was separated keeps out nothing."""
    found = told("case.toml", 'stages = ["mined"]', 'stages = ["separated"]')
    assert suggested(found, "rule `by-order` bars nothing", "separated")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("catalog/facilities.csv", "Hill Metals", "Hill Metals\u200b", "nobody sees (U+200B, zero width space)"),
        ("catalog/facilities.csv", "Hill Metals", "Нill Metals", "`Н` is U+041D, cyrillic capital letter en"),
    ],
)
def test_a_word_that_is_not_what_it_looks_like_is_told(file: str, old: str, new: str, says: str, told: Told) -> None:
    """A limit that names Hill Metals, or a rule on antimony, does not mean it."""
    assert suggested(told(file, old, new), says)


def test_a_name_in_one_alphabet_is_what_it_looks_like(told: Told) -> None:
    """Accents, and names in another alphabet altogether, are no tricks."""
    found = told("catalog/facilities.csv", "Hill smelter,Hill Metals", "Завод на холме,Société Générale")
    assert not found.errors
    assert not any("looks" in str(told) or "alphabets" in str(told) for told in found.suggestions)


@pytest.mark.parametrize("name", ["river-antimonу", "river\u200bantimony", "river-antimony\u202e"])
def test_an_id_that_is_not_what_it_looks_like_is_a_mistake(name: str, told: Told) -> None:
    """Two ids that look alike are two offers."""
    assert any(
        "type the name again" in e.fix or "a name of letters" in e.expected
        for e in told("catalog/offers.csv", "river-antimony", name).errors
    )


def test_an_offer_that_states_a_quantity_counts_without_a_capacity(told: Told) -> None:
    """Who sells 12 t from stock has said what is available; another offer of the facility is a lead. The page says so."""
    told("catalog/capacity.csv", "hill-smelter,,20 t/year,operating,,invented\n", "")
    found = told(
        "catalog/offers.csv",
        "price_source,source\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented",
        "price_source,source,total\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented,\n"
        "hill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented,12 t\nhill-more,hill-smelter,antimony,30 USD/kg,invented,invented,",
    )
    assert suggested(found, "`hill-smelter` has no capacity", "these count up to that")
    assert suggested(found, "`hill-more`", "is a lead", "nobody published its capacity")
    assert not any("`hill-antimony`" in str(told) and "lead" in str(told) for told in found.suggestions)


DUTY = '[[rule]]\nkind = "tariff"\nid = "us"\nterritory = ["US"]\nhs = ["{}"]\nrate = "5 %"\n\n[[scenario]]'
IN_MATERIALS = (
    "id,name,element,form,basis,content,stages,source",
    "Antimony metal,Sb,metal,gross,1,mined;refined,invented",
)


@pytest.mark.parametrize(("own", "named", "words"), [
    ("", "8110.10", ("it has no tariff line (`hs`)", "give its line in `hs` of materials.csv")),
    ("8110.10", "2617.10", ("no rule in use names its tariff line, 8110.10", "check the line")),
])  # fmt: skip
def test_goods_that_enter_without_a_duty_are_suggested(
    own: str, named: str, words: tuple[str, ...], told: Told
) -> None:
    """Antimony enters the United States. The only duty is for a line that it doesn't have."""
    head, row = IN_MATERIALS
    told("catalog/materials.csv", head, f"{head},hs")
    told("catalog/materials.csv", row, f"{row},{own}")
    assert suggested(told("case.toml", "[[scenario]]", DUTY.format(named)), "antimony: ", *words)


def test_goods_with_a_duty_are_not_suggested(told: Told) -> None:
    """A duty for the line of the goods, for a country of no offer, is still a duty; so is none where no rule charges any."""
    head, row = IN_MATERIALS
    told("catalog/materials.csv", head, f"{head},hs")
    assert not suggested(told("catalog/materials.csv", row, f"{row},8110.10"), "tariff line")
    stated = DUTY.format("8110").replace("rate", 'origins = ["KR"]\nrate')
    assert not suggested(told("case.toml", "[[scenario]]", stated), "tariff line")


def test_a_place_that_is_a_country_in_another_language_is_suggested_in_english(told: Told) -> None:
    """Also where another mistake keeps the case from being put together."""
    (error,) = told("case.toml", 'place = "US"', 'place = "Österreich"').errors
    both = told("catalog/facilities.csv", "Hill Metals,AU", "Hill Metals,Atlantis").errors
    assert [error.fix, *(e.fix for e in both if e.column == "case.place")] == ["did you mean `Austria`?"] * 2
