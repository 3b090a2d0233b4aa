"""Checks: every mistake of every file at once, and rules, dates, and words that do nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from friendshore import recommend
from friendshore.case import load_case, parse_changes
from friendshore.catalog import several
from friendshore.catalog.folder import CatalogDraft, read_draft
from friendshore.catalog.tables import CatalogTables
from friendshore.cli.cases import write_starter
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import Diagnostic
from friendshore.plugins import Registry
from friendshore.problem.case_checks import end_use_problems
from friendshore.recommend import gather
from friendshore.recommend.check import Checked, check
from friendshore.rules.base import Rule

from ..building import ban, case, demand, refused

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
share = "150%"
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


MORE_MISTAKES = """
[[rule]]
kind = "max-share"
id = "half"
share = "half"
[[store]]
material = "gallium-4n"
limit = "5 tonn"
"""


def test_every_mistake_of_files_of_every_kind_is_told_at_once(folder: Path) -> None:
    """A case, its table of demands, a catalog, a pack, rules of both, and names in between: one round, sixteen mistakes."""
    case = folder / "case.toml"
    text = case.read_text(encoding="utf-8").replace("packs = []", 'packs = ["./law"]\ndemand = "demand.csv"')
    case.write_text(text.replace('place = "US" ', 'place = "Amerika" ') + NAMES + MORE_MISTAKES, encoding="utf-8")
    (folder / "law").mkdir()
    (folder / "law" / "pack.toml").write_text(PACK)
    (folder / "demand.csv").write_text("material,end_use,quantity\ngallium-6n,civil,5 kg\ngallium-4n,civil,5 kilo\n")
    bad = "euro-gallium,quebec,gallium-4n,700 EUR/kg,invented,50 kilo,1 quarter,invented\n"
    add(folder / "catalog" / "offers.csv", bad)
    add(folder / "catalog" / "facilities.csv", "nowhere,Atlantis\n")
    found = check(folder, Registry.of()).errors
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
    found = {p.column for p in check(folder, Registry.of()).errors}
    assert "no-table" in found
    assert any(column.endswith("id") for column in found)


class Speechless(Rule):
    """A kind whose author forgot what it says."""

    kind: Literal["speechless"] = "speechless"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return PASS

    def sentence(self) -> str:
        return None  # type: ignore[return-value]


@pytest.mark.usefixtures("site")
def test_a_rule_without_a_sentence_is_told(folder: Path) -> None:
    """A plan says its rules in sentences: what `check` lets pass must not keep it from being told."""
    add(folder / "case.toml", '\n[[rule]]\nkind = "speechless"\nid = "mum"\n')
    (problem,) = check(folder, Registry.of(kinds=[Speechless])).errors
    assert "`sentence` returned None" in problem.message


def test_names_that_a_row_with_a_mistake_may_define_are_not_told(folder: Path) -> None:
    """What refers to a bad row, table or pack is no mistake of its own."""
    add(folder / "case.toml", '\n[[order]]\noffer = "new-gallium"\nquantity = "5 t"\narrives = 2026-12-01\n')
    add(folder / "case.toml", '\n[[incumbent]]\noffer = "other-gallium"\nper_year = "5 t"\n')
    add(folder / "catalog" / "offers.csv", "new-gallium,quebec,gallium-4n,700 USD,invented,,,invented\n")
    told = check(folder, Registry.of()).errors
    assert places(told, folder) == {("catalog/offers.csv", "price"), ("case.toml", "offer")}
    (folder / "catalog" / "offers.csv").write_bytes("id,facility\nПервый,завод\n".encode("cp1251"))
    (only,) = check(folder, Registry.of()).errors
    assert "Windows-1251" in only.message


@pytest.mark.parametrize("ask", ["check", "plan"])
def test_unknown_names_are_told_with_file_and_line(ask: str, folder: Path) -> None:
    """Where nothing else is wrong too: by `plan` as by `check`, and a name that stands twice is told twice; a scenario's when it is asked for."""
    case = folder / "case.toml"
    add(case, NAMES + '\n[[order]]\noffer = "kwinana-galium"\nquantity = "1 t"\narrives = 2026-12-01\n')
    add(folder / "catalog" / "offers.csv", "euro-gallium,quebec,gallium-4n,700 EUR/kg,invented,,1 quarter,invented\n")
    plan = partial(refused, recommend.plan, load_case(folder), registry=Registry.of())
    found = check(folder, Registry.of()).errors if ask == "check" else plan()
    places_told = [(Path(p.file).name, p.row) for p in found if "scenario" not in p.message]
    lines = case.read_text(encoding="utf-8").splitlines()
    orders = [("case.toml", n) for n, line in enumerate(lines, 1) if "kwinana-galium" in line]
    others = [("case.toml", line_of(case, "gallium-5n")), ("case.toml", line_of(case, "defence-origin"))]
    assert len(orders) == 2
    assert sorted(places_told) == sorted([*orders, *others, ("offers.csv", 5)])
    assert any("no exchange rate from EUR to USD" in p.message and "state the amount in USD" in p.fix for p in found)


def test_a_scenario_asked_for_tells_where_it_is_wrong(folder: Path) -> None:
    """With the line of the change."""
    add(folder / "case.toml", NAMES[NAMES.index("[[scenario]]") :])
    found = refused(recommend.plan, load_case(folder), registry=Registry.of(), scenario="s")
    assert {problem.row for problem in found} == {line_of(folder / "case.toml", name) for name in ("disable", "prove")}


def test_what_a_rule_names_is_told_where_it_stands(folder: Path) -> None:
    """A pin of an offer that is not there: the line on which the rule names it."""
    add(folder / "case.toml", '\n[[rule]]\nkind = "pin"\nid = "fixed"\noffer = "quebec"\nat_most = "5 t"\n')
    (problem,) = check(folder, Registry.of()).errors
    assert problem.row == line_of(folder / "case.toml", 'offer = "quebec"')
    assert (problem.code, problem.found) == ("FS641", "quebec")


def test_a_price_or_a_capacity_of_nothing_is_told(folder: Path) -> None:
    """A free offer would be bought first, an order of at most nothing never: each may be a gap in a table, and stands first."""
    offers, capacity = folder / "catalog" / "offers.csv", folder / "catalog" / "capacity.csv"
    stated, (head, first, *others) = offers.read_text(encoding="utf-8"), capacity.read_text("utf-8").splitlines()
    cells = dict(zip(head.split(","), first.split(","), strict=True)) | {"per_year": "0"}
    offers.write_text(stated.replace("540 USD/kg", "0 USD/kg"), encoding="utf-8")
    capacity.write_text("\n".join([head, ",".join(cells.values()), *others]) + "\n", encoding="utf-8")
    told = check(folder, Registry.of())
    assert not told.errors
    zeros = [problem for problem in told.suggestions if problem.code == "FS130"]
    assert [problem.column for problem in zeros] == ["price", "per_year"]
    assert "`kwinana-gallium`" in zeros[0].message
    assert f"`{cells['facility']}`" in zeros[1].message
    offers.write_text(stated.replace("540 USD/kg", "0"), encoding="utf-8")
    (problem,) = check(folder, Registry.of()).errors
    assert (problem.column, problem.row) == ("price", line_of(offers, "kwinana"))


def test_catalogs_are_read_once_where_names_are_unknown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the catalogs define is known from reading them, and they are not read again for it."""
    add(folder / "case.toml", NAMES + '\n[[rule]]\nkind = "max-share"\nid = "much"\nshare = "150%"\n')
    read: list[str] = []

    def counted(tables: CatalogTables, *given: Any) -> CatalogDraft:
        read.append(tables.head_file)
        return read_draft(tables, *given)

    monkeypatch.setattr(several, "read_draft", counted)
    assert {"`kwinana-galium`", "kwinana-galium"} & {problem.found for problem in check(folder, Registry.of()).errors}
    assert len(read) == len(set(read)) > 0


LOTS = """
[[stock]]
material = "gallium-4n"
quantity = "5 {0}"
acquired = 2099-01-01
[[order]]
offer = "kwinana-gallium"
quantity = "5 {0}"
arrives = 2099-01-01
[[demand]]
material = "gallium-4n"
end_use = "civil"
quantities = ["5 kg"]
shortage_price = "5 USD/{0}"
"""


@pytest.mark.parametrize("unit", ["pood", "kg"])
def test_days_and_lists_are_checked_beside_another_mistake_of_their_table(folder: Path, unit: str) -> None:
    """Stock of the future, an order that comes too late, and a list of the wrong length, also where the same table has a bad mass."""
    add(folder / "case.toml", LOTS.format(unit))
    found = {(p.column, p.found): p.row for p in check(folder, Registry.of()).errors if "pood" not in p.found}
    assert found.pop(("demand[3].quantities", "`[5 kg]`"))
    assert found == {
        ("stock[1].acquired", "`2099-01-01`"): line_of(folder / "case.toml", "acquired = 2099"),
        ("order[1].arrives", "`2099-01-01`"): line_of(folder / "case.toml", "arrives = 2099"),
    }


STOCK = Path(__file__).parents[2] / "docs" / "cases" / "small" / "stock"

Told = Callable[..., Checked]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What is said of the case about stock after some edits: a file, a text in it, and another."""
    folder = Path(shutil.copytree(STOCK, tmp_path / "stock"))

    def tell(*edits: tuple[str, str, str]) -> Checked:
        for file, old, new in edits:
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text
            (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return check(folder, Registry.of())

    return tell


USE = 'end_use = "defense"'
CASE = "case.toml"
OFFERS, FACILITIES, MATERIALS = (f"catalog/{table}.csv" for table in ("offers", "facilities", "materials"))
NEVER = ("type the name again", "did you mean", "a name of letters")


@pytest.mark.parametrize(
    ("file", "old", "new", "column", "helps"),
    [
        # A ban on goods for defense does not look at goods for `defens`: the plan would be called compliant.
        *((CASE, USE, f'end_use = "{word}"', "demand[2].end_use", NEVER) for word in
          ("defens", "defnse", "DoD", "civl", "dеfense", "defense\u200b", "Defence")),
        # Two ids that look alike are two offers.
        *((OFFERS, "river-antimony", name, "id", NEVER) for name in ("river-antimonу", "river\u200bantimony", "river-antimony\u202e")),
        (CASE, 'place = "US"', 'place = "Österreich"', "case.place", ("did you mean `Austria`?",)),
    ],
)  # fmt: skip
def test_a_name_that_is_not_what_it_looks_like_is_a_mistake(
    file: str, old: str, new: str, column: str, helps: tuple[str, ...], told: Told
) -> None:
    """With what was probably meant."""
    errors = told((file, old, new)).errors
    assert any(e.column == column and any(words in e.fix + e.expected for words in helps) for e in errors), errors
    assert len(errors) == 1 or file == OFFERS


def test_a_place_that_is_no_country_is_told_beside_another_mistake(told: Told) -> None:
    """Also where that mistake keeps the case from being put together."""
    edits = (CASE, 'place = "US"', 'place = "Österreich"'), (FACILITIES, "Hill Metals,AU", "Hill Metals,Atlantis")
    (error,) = (error for error in told(*edits).errors if error.column == "case.place")
    assert (error.code, error.fix.partition("?")[0]) == ("FS242", "did you mean `Austria`")


@pytest.mark.parametrize(
    ("name", "likely"), [("camden", ""), ("dallas", ""), ("Germny", "did you mean `Germany`? If not, ")]
)
def test_an_unknown_site_can_be_declared_by_its_fix(name: str, likely: str, told: Told) -> None:
    """A country is suggested only if it is very similar. The site needs no capacity and no offers, and `check` asks for none."""
    (error,) = told((CASE, USE, f'{USE}\nplace = "{name}"')).errors
    assert (error.code, error.column) == ("FS242", "demand.place")
    assert error.fix.startswith(f"{likely}add a row with `{name}` as `id` and `place`")
    blank = [(FACILITIES, f"{country},invented", f"{country},invented,") for country in ("CN", "AU")]
    found = told(*blank, (FACILITIES, "country,source", f"country,source,place\n{name},,,US,,{name}"))
    assert not found.errors
    assert not suggestions(found, "facilities.csv") + suggestions(found, "capacity.csv")


ALIKE = "price_source,source\nriver-antimony,river-smelter,antimony,10 USD/kg,invented,invented\nhill-antimony,hill-smelter,antimony,30 USD/kg,invented,invented"
RIVER, HILL = (
    f"{name}-antimony,{name}-smelter,antimony,{cost} USD/kg,invented,invented"
    for name, cost in (("river", 10), ("hill", 30))
)
FROM = "phases = [{ from = 2027-01-01 }]"
HEAD, METAL = (
    "id,name,element,form,basis,content,stages,source",
    "Antimony metal,Sb,metal,gross,1,mined;refined,invented",
)
OUT = '[[rule]]\nkind = "exclude"\nid = "out"\nsuppliers = ["{}"]\n\n[[scenario]]'
DUTY = '[[rule]]\nkind = "tariff"\nid = "us"\nterritory = ["US"]\nhs = ["{}"]\n{}rate = "5%"\n\n[[scenario]]'
HS = (MATERIALS, HEAD, f"{HEAD},hs")
SUGGESTED: dict[str, tuple[list[tuple[str, str, str]], list[tuple[str, ...]], tuple[str, ...]]] = {
    # 2207 for 2027: the ban never holds, and nothing else says so.
    "a ban from another century": (
        [(CASE, FROM, FROM.replace("2027", "2207"))], [("FS650 rule `by-order`", "2207-01-01"), ("FS659 2207-01-01", "check the year")], (),
    ),
    "an offer from another century": (
        [(OFFERS, ALIKE, f"price_source,source,until\n{RIVER},9999-12-31\n{HILL},2207-12-30")], [("FS659 2207-12-31",)], ("9999",),
    ),
    # Who is kept out by a name with a slip is bought from; a list may name many whom the case does not know.
    "a slip": ([(CASE, "[[scenario]]", OUT.format("Hil Metals"))], [("FS652 rule `out`", "did you mean `Hill Metals`?")], ()),
    "another form": ([(CASE, "[[scenario]]", OUT.format("HILL METALS Ltd."))], [("FS652 rule `out`", "did you mean `Hill Metals`?")], ()),
    "the name": ([(CASE, "[[scenario]]", OUT.format("hill metals"))], [], ("did you mean",)),
    "another company": ([(CASE, "[[scenario]]", OUT.format("Norinco"))], [], ("did you mean",)),
    # Antimony is mined and refined: a ban on where it was separated keeps out nothing.
    "a stage that no material has": ([(CASE, 'stages = ["mined"]', 'stages = ["separated"]')], [("FS651 rule `by-order`", "separated")], ()),
    # A limit that names Hill Metals, or a rule on antimony, does not mean it.
    "a sign that nobody sees": ([(FACILITIES, "Hill Metals", "Hill Metals\u200b")], [("(U+200B, zero width space)",)], ()),
    "a letter of another alphabet": ([(FACILITIES, "Hill Metals", "Нill Metals")], [("`Н` is U+041D, cyrillic capital letter en",)], ()),
    "another alphabet altogether": ([(FACILITIES, "Hill smelter,Hill Metals", "Завод на холме,Société Générale")], [], ("looks", "alphabets")),
    # Who sells 12 t from stock has said what is available; another offer of the facility is a lead.
    "a quantity without a capacity": (
        [("catalog/capacity.csv", "hill-smelter,,20 t/year,operating,,invented\n", ""), (OFFERS, ALIKE, f"price_source,source,total\n{RIVER},\n{HILL},12 t\n{HILL.replace('-antimony,', '-more,')},")],
        [("`hill-smelter` has no capacity", "unless they state `max_per_year` or `total`"), ("`hill-more`", "is a lead", "no source gives its capacity")], ("`hill-antimony` is a lead",),
    ),
    # Antimony enters the United States.
    "no tariff line": ([HS, (MATERIALS, METAL, f"{METAL},"), (CASE, "[[scenario]]", DUTY.format("8110.10", ""))], [("antimony: ", "it has no tariff line (`hs`)", "give its line in `hs` of materials.csv")], ()),
    "a tariff line of no rule": (
        [HS, (MATERIALS, METAL, f"{METAL},8110.10"), (CASE, "[[scenario]]", DUTY.format("2617.10", ""))], [("antimony: ", "no rule in use names its tariff line, 8110.10", "check the line")], (),
    ),
    "no rule charges any duty": ([HS, (MATERIALS, METAL, f"{METAL},8110.10")], [], ("tariff line",)),
    "a duty for a country of no offer": ([HS, (MATERIALS, METAL, f"{METAL},8110.10"), (CASE, "[[scenario]]", DUTY.format("8110", 'origins = ["KR"]\n'))], [], ("tariff line",)),
}  # fmt: skip


@pytest.mark.parametrize(("edits", "said", "unsaid"), SUGGESTED.values(), ids=SUGGESTED)
def test_what_does_nothing_is_suggested(
    edits: list[tuple[str, str, str]], said: list[tuple[str, ...]], unsaid: tuple[str, ...], told: Told
) -> None:
    """Each in one suggestion with all these words."""
    found = told(*edits)
    assert not found.errors
    assert [suggestions(found, *words) for words in said] == [1] * len(said)
    assert [suggestions(found, word) for word in unsaid] == [0] * len(unsaid)


def suggestions(found: Checked, *words: str) -> int:
    """How many suggestions hold all the words."""
    return sum(all(word in str(one) for word in words) for one in found.suggestions)


@pytest.mark.parametrize("named", [False, True], ids=["no rule for defense", "a rule for defense"])
@pytest.mark.parametrize(
    ("word", "likely"),
    [("defense-spares", "defense"), ("defence-us", "defense"), ("us_DoD", "defense"), ("civic", "civil"), ("army", "")],
)
def test_an_end_use_without_a_rule_or_a_declaration_is_an_error(
    word: str, likely: str, named: bool, told: Told
) -> None:
    """Rules for defense don't apply to it. The fix gives the likely end use, and the declaration."""
    edits = [(CASE, USE, f'end_use = "{word}"')]
    edits += [(CASE, 'end_uses = ["defense"]\n', "")] * 2 * (not named)
    (error,) = told(*edits).errors
    assert (error.code, error.column, error.found, error.row) == ("FS246", "demand.end_use", word, 29)
    assert error.fix.startswith(f"did you mean `{likely}`?" if likely else f'add "{word}" to `end_uses` under [accept]')
    assert not told((CASE, "[accept]", f'[accept]\nend_uses = ["{word}"]')).errors


@pytest.mark.parametrize(("use", "likely"), [("defense", ""), ("civil", ""), ("turbines", ""), ("turbine", "turbines")])
def test_an_end_use_of_a_rule_is_known(use: str, likely: str) -> None:
    """One that is almost the same isn't."""
    found = end_use_problems([("end_use", use)], case(demand("metal", use, 10)), [ban("mined", end_uses=["turbines"])])
    assert [problem.fix.partition("?")[0] for problem in found] == ([f"did you mean `{likely}`"] if likely else [])


def test_licenses_and_new_demands_need_known_end_uses(told: Told, tmp_path: Path) -> None:
    """A license for a misspelled end use would do nothing, and a new demand would escape the rules."""
    inputs = gather(load_case(tmp_path / "stock"), Registry.of()).inputs
    want = parse_changes(["want=antimony, per_year=1 t, end_use=missiles"])
    assert [(error.code, error.found) for error in refused(inputs.after, want)] == [("FS246", "missiles")]
    license = '[assume.license]\ncivil-use = "granted"\n\n[accept]'
    assert [error.found for error in told((CASE, "[accept]", license)).errors] == ["civil-use"]


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
    assert suggestions(found, "FS648 `us-10usc4872`", "from given in memory")
    assert suggestions(found, "FS650 rule `empty` of us-10usc4872", str(folder / "law" / "pack.toml"))
