"""Case files: read into kilograms and the currency of the case with a list of all mistakes, and edited line by line."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.domain.case import Case
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Status
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.orders.next_case import CaseText
from friendshore.reading.tomlfile import toml_data

from ..building import refused

DATA = Path(__file__).parents[1] / "data"
GOOD = DATA / "good-case"

Edit = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good case that a test may spoil."""
    return Path(shutil.copytree(GOOD, tmp_path / "case"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replaces a piece of the case file, once."""

    def replace(old: str, new: str) -> None:
        text = (folder / "case.toml").read_text(encoding="utf-8")
        assert old in text
        (folder / "case.toml").write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def test_a_case_in_full() -> None:
    """Every section ends up where the rest of the program looks for it, in kilograms, months and fractions."""
    case = load_case(GOOD)
    assert case == load_case(GOOD / "case.toml")
    assert (case.name, case.place, case.currency, case.discount) == ("small", "US", "USD", Decimal("0.08"))
    assert case.horizon == Horizon(start=date(2026, 10, 1), periods=4, period=PeriodLength.QUARTER)
    assert case.resolution == Decimal("0.001")
    assert (case.catalogs, case.packs, case.folder) == (("small", "./mine"), ("us-10usc4872",), GOOD)
    assert case.accept.confidence is Confidence.ASSUMED
    assert case.accept.rule_status == ("enacted", "pending")
    assert case.accept.counts(Status.RAMPING) == Decimal("0.7")
    assert case.accept.counts(Status.ANNOUNCED) == Decimal("0.1")
    assert (case.assume.lead_time, case.assume.freight, case.assume.holding) == (3, 2, Decimal("0.05"))
    assert case.assume.license == {"civil": "granted"}
    given = case.assume.offer[0]
    assert (given.id, given.capacity, given.substance, given.start) == ("ore", 20_000, "WO3", date(2027, 1, 1))
    assert given.chain[0].countries == {"KR", "AU"}
    assert [d.id for d in case.demands] == [
        "penetrators",
        "tungsten-apt/civil/US",
        "dy-oxide/defense/US",
        "dy-oxide/civil/JP",
    ]
    assert case.orders[0].arrives == date(2026, 11, 15)
    today = case.incumbents[0]
    assert (today.offer, today.per_year, today.substance, today.why) == ("powder", 3000, "W", "invoices of 2025")
    assert (case.licenses[0].id, case.licenses[0].quantity) == ("cn-tungsten/CN", 2000)
    assert (case.waivers[0].id, case.waivers[0].end) == ("us-4872/*", date(2027, 12, 31))
    assert (case.stores[0].holding, case.stores[0].limit) == (1, 5000)
    first, second = case.objectives
    assert (first.minimize, first.of, first.within) == ("shortage", ("defense",), 0)
    assert (second.minimize, second.by, second.stage, second.per, second.within) == (
        "concentration", "country", "refined", "horizon", Decimal("0.05"),
    )  # fmt: skip
    assert [s.inherits for s in case.scenarios] == [(), ("bill",)]
    assert (case.scenarios[1].change[0].factor, case.scenarios[1].change[1].delay) == (Decimal("1.5"), 6)


def test_every_other_key_of_a_demand_is_a_fact() -> None:
    """Facts of the item are what the case states, shares as fractions and yes and no as such, in a table too. Rules stay data."""
    case = load_case(GOOD)
    assert [demand.facts for demand in case.demands] == [
        (("cots", False), ("fit", "kinetic"), ("tungsten_share", Decimal("0.6"))),
        (),
        (("cots", True), ("mass_share", Decimal("0.125"))),
        (),
    ]
    assert case.rules[0] == {"kind": "max-share", "id": "max-share-1", "share": 0.65, "from": "2027-01-01"}
    assert case.rules[1]["id"] == "not-kazakh"


def test_quantities_are_by_period_and_keep_the_substance_that_they_name() -> None:
    """One quantity holds in each period in which the demand is wanted; a list holds as it stands. A case alone knows no materials."""
    case = load_case(GOOD)
    first, second, third, _ = case.demands
    assert (first.substance, second.substance) == ("", "WO3")
    assert (second.quantities, third.quantities) == ((0, 1000, 1000, 1000), (100, 0, 50, 50))
    assert (case.stocks[0].quantity, case.stocks[0].substance) == (1000, "W")
    given = case.assume.offer[0]
    assert (given.capacity, given.price.amount, given.substance) == (20_000, 15, "WO3")
    assert Case.model_validate_json(case.model_dump_json()) == case.but(folder=None, file=None)


# Further ones stand in tests/data/bad-case.
SPOILED = [
    ("schema = 1\n", "", "schema", "FS002"),
    ('name = "small"', "name = 7", "case.name", "FS011"),
    ("start = 2026-10-01", "start = 2026-10-01T00:00:00", "case.start", "FS011"),
    ("periods = 4", "periods = 2.5", "case.periods", "FS011"),
    ("periods = 4", "periods = 1_000_000", "case.periods", "FS013"),
    ("start = 2026-10-01", "start = 9999-10-01", "case.periods", "last day of the calendar"),
    ("periods = 4", "periods = 401", "case.periods", "longer than a century"),
    ('resolution = "1 g"', 'resolution = "0"', "case.resolution", "FS013"),
    ('resolution = "1 g"', 'resolution = "1e-30 kg"', "case.resolution", "FS013"),
    ('resolution = "1 g"', 'resolution = "1e9 t"', "case.resolution", "FS013"),
    ('resolution = "1 g"', 'resolution = "0.3333333333 kg"', "case.resolution", "FS013"),
    ("schema = 1\n", "schema = 1e99999999999999999999\n", "schema", "FS013"),
    ("periods = 4", f"periods = {'9' * 5000}", "", "FS013"),
    ("periods = 4", f"periods = 0x{'f' * 5000}", "case.periods", "FS013"),
    ("cots = false", "cots = 1.12345678901234567890123456789", "demand[1].cots", "FS013"),
    ("cots = false", "cots = inf", "demand[1].cots", "FS013"),
    ("cots = false", f"cots = {'[' * 450}{']' * 450}", f"demand[1].cots{'[1]' * 14}", "nested too deeply"),
    ("cots = false", f"{'a.' * 150}a = 1", f"demand[1]{'.a' * 15}", "nested too deeply"),
    ("cots = false", f"{'a.' * 3000}a = 1", "", "nested too deeply"),
    ("cots = false", f"[{'a.' * 20_000}a]", "", "nested too deeply"),
    ("cots = false", f"{'a.' * 30_000}a = 1", "", "nested too deeply"),
    ("cots = false", f"'='.{'a . ' * 30_000}a = 1", "", "nested too deeply"),
    ("cots = false", f"[{'a.' * 9_000}b]\n" + "".join(f"c.d{i} = 1\n" for i in range(5_000)), "", "nested too deeply"),
    ("cots = false", f"cots = {'[' * 5000}{']' * 5000}", "", "nested too deeply"),
    ('catalogs = ["small", "./mine"]', "catalogs = [1]", "use.catalogs", "FS011"),
    ("unproven = false", 'unproven = "perhaps"', "accept.unproven", "FS011"),
    ('announced = "10%"', "event = 1", "accept.capacity.event", "FS001"),
    ('freight = "2 USD/kg"', 'freight = "2 EUR/kg"', "assume.freight", "FS066"),
    ('freight = "2 USD/kg"', 'freight = "2 USD/kg W"', "assume.freight", "FS065"),
    ('capacity = "20 t WO3/year"', 'capacity = "20 t/year"', "assume.offer[1].capacity", "FS064"),
    ('price = "15 USD/kg WO3"', 'premium = "5%"', "assume.offer[1].premium", "no benchmark"),
    ('per_year = "2 t"', "per_year = 2", "demand[1].per_year", "FS011"),
    ('per_year = "2 t"', "", "demand[1]", "no quantity"),
    ("cots = false", "cots = [1]", "demand[1].cots", "FS011"),
    ('end_use = "civil"', 'end_use = "civil"\nid = "penetrators"', "demand[2].id", "FS024"),
    ("acquired = 2025-01-31", "acquired = 2027-01-31", "stock[1].acquired", "after the plan's start"),
    ('countries = ["CN"]', "countries = []", "stock[1].chain[2].complete", "empty"),
    ("arrives = 2026-11-15", "", "order[1].arrives", "FS002"),
    ('per_year = "3 t W/year"\n', "", "incumbent[1].per_year", "FS002"),
    ("[[license]]", '[[incumbent]]\noffer = "powder"\nper_year = "1 t"\n\n[[license]]', "incumbent[2].offer", "name of another one"),
    ('quantity = "2 t"\n', 'quantity = "2 t Dy"\n', "license[1].quantity", "FS065"),
    ('quantity = "300 kg"', 'quantity = "-300 kg"', "waiver[1].quantity", "FS013"),
    ('quantity = "300 kg"', 'quantity = "1e9999999 t"', "waiver[1].quantity", "FS013"),
    ('quantity = "300 kg"', 'quantity = "1e-9999999 t"', "waiver[1].quantity", "FS013"),
    ('quantity = "300 kg"', 'quantity = "' + "9" * 5000 + ' t"', "waiver[1].quantity", "FS013"),
    ('quantity = "300 kg"', 'quantity = "３00 kg"', "waiver[1].quantity", "FS011"),
    ('"1 USD/kg/year"', '"1 USD/kg"', "store[1].holding", "FS011"),
    ('"1 USD/kg/year"', '"1e9999999 USD/kg/year"', "store[1].holding", "FS013"),
    ('factor = "150%"', 'factor = "1e9999999%"', "scenario[2].change[1].factor", "FS013"),
    ("[[scenario]]", '[[rule]]\nkind = "x"\nid = "not-kazakh"\n\n[[scenario]]', "rule[3].id", "name of another one"),
    ('minimize = "shortage"', 'minimize = "shortages"', "objective[1].minimize", "FS003"),
    ('minimize = "shortage"', 'minimize = "spend"', "objective[1].of", "FS029"),
    ('of = ["defense"]', 'of = ["defense"]\nby = "parent"', "objective[1].by", "FS029"),
    ('by = "country"', 'by = "parent"', "objective[2].stage", "FS029"),
    ('within = "5%"', 'within = "105%"', "objective[2].within", "FS013"),
    ('inherits = ["bill"]', 'inherits = ["worse"]', "scenario[2].inherits", "inherits from itself"),
    ("[[order]]", "[order]", "order", "a list of tables"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "column", "message"), SPOILED)
def test_one_mistake_gives_one_message_at_its_place(
    folder: Path, edit: Edit, old: str, new: str, column: str, message: str
) -> None:
    """Each mistake is reported once, at its key and near its line, and in words."""
    line = (folder / "case.toml").read_text(encoding="utf-8").split(old)[0].count("\n") + 1
    edit(old, new)
    (problem,) = refused(load_case, folder)
    assert (problem.column, message in f"{problem.code} {problem.message}") == (column, True), str(problem)
    assert problem.expected or problem.fix
    assert problem.row is None or abs(problem.row - line) <= 6


def test_lines_are_exact_where_a_key_has_one(folder: Path, edit: Edit) -> None:
    """A key, an item of a list over several lines and a key of a repeated table know their own lines."""
    lines = (folder / "case.toml").read_text(encoding="utf-8").splitlines()
    edit('quantity = "300 kg"', 'quantity = "300 kilo"')
    edit("factor = ", "factr = ")
    rows = {p.column: p.row for p in refused(load_case, folder)}
    assert rows["waiver[1].quantity"] == lines.index('quantity = "300 kg"') + 1
    change = '    { price = "apt-rotterdam", factor = "150%" },'
    assert rows["scenario[2].change[1].factr"] == lines.index(change) + 1


def test_a_table_of_demands_is_checked_row_by_row(folder: Path) -> None:
    """Mistakes in demand.csv are reported with their line and column, beside those of the case file."""
    rows = "material,end_use,per_year,cots,quantty\ndy-oxide,defence,1 t,yes,\n,civil,1 t,,\ndy-oxide,civil,,no,\n"
    (folder / "demand.csv").write_text(rows, encoding="utf-8")
    found = [(p.row, p.column) for p in refused(load_case, folder)]
    assert found == [(1, "quantty"), (2, "end_use"), (3, "material")]  # line 4 may have a quantity
    (folder / "demand.csv").write_text(rows.replace("quantty", "remark"), encoding="utf-8")
    found = [(p.row, p.column) for p in refused(load_case, folder)]
    assert found == [(2, "end_use"), (3, "material"), (4, "")]


def test_a_case_that_is_not_there_or_not_toml_says_so(tmp_path: Path) -> None:
    """A wrong path and broken TOML each give one plain message; an empty file is answered with what every case has."""
    assert "no such case" in refused(load_case, tmp_path)[0].message
    (tmp_path / "case.toml").write_text('[case]\nname = "x\n', encoding="utf-8")
    broken = refused(load_case, tmp_path)[0]
    assert (broken.code, broken.row) == ("FS056", 2)
    (tmp_path / "case.toml").write_text("", encoding="utf-8")
    assert [p.column for p in refused(load_case, tmp_path)] == ["schema", "case"]


TEXT = """# Head of the file
schema = 1

[case]
start = 2026-10-01  # first day
periods = 4

# The first stock.
[[stock]]
id = "one"
quantity = "3 t"
chain = [
    { stage = "mined", countries = ["AU"] },
]

# The second stock.
[[stock]]
id = "two"
why = \"\"\"
[[stock]]
not a table\"\"\"

# The rest.
[[rule]]
id = "last"
"""


def edited(text: str = TEXT) -> CaseText:
    """A file with an edit of each kind."""
    made = CaseText(text, "case.toml")
    made.set(("case", "start"), datetime.date(2026, 11, 1))
    made.set(("stock", 1, "quantity"), "1 kg")
    made.remove("stock", 0)
    made.add("order", {"id": "new", "quantity": "5 kg"})
    return made


def test_edits_keep_every_other_line() -> None:
    """A value, a new key, a table that goes with the lines of its lists, and a new table at the end; as a file has them of Windows, too."""
    text, kept = edited().text()
    assert kept
    assert toml_data(text, "case.toml") == edited().result
    assert "start = 2026-11-01  # first day" in text
    gone = [line for line in TEXT.splitlines() if line not in text.splitlines()]
    chain = ["chain = [", '    { stage = "mined", countries = ["AU"] },', "]"]
    assert gone == ["start = 2026-10-01  # first day", 'id = "one"', 'quantity = "3 t"', *chain]
    assert edited("\ufeff" + TEXT.replace("\n", "\r\n")).text() == ("\ufeff" + text.replace("\n", "\r\n"), True)


@pytest.mark.parametrize(
    "text",
    [
        'stock = [{ id = "one" }, { id = "two" }]\n\n[case]\nstart = 2026-10-01\n',
        'case = { start = 2026-10-01 }\n[[stock]]\nid = "one"\n[[stock]]\nid = "two"\n',
        '[case]\nstart = """2026-\\\n10-01"""\n[[stock]]\nid = "one"\n[[stock]]\nid = "two"\n',
    ],
)
def test_a_layout_that_cannot_be_followed_is_written_again(text: str) -> None:
    """What the edits say always holds, with or without the comments."""
    made = edited(text)
    written, kept = made.text()
    assert not kept
    assert toml_data(written, "case.toml") == made.result
