"""The screen of a run made by hand: each thing to know of a plan is told in a line or two, or counted."""

from __future__ import annotations

from typing import Any

import pytest

from friendshore.document.terminal import plain_text
from friendshore.domain.shown_names import RunMaterial, ShownNames, short_names
from friendshore.report import plan_document, screen_document
from friendshore.report.screen import LINES

from .test_report import DEMAND, PURCHASE, SHORT, run

PLUGIN = {"name": "laws", "kind": "pack", "distribution": "acme 1", "digest": "", "as_of": "2026-01-01"}
LOT: dict[str, Any] = {
    "lot": "vault", "kind": "stock", "offer": "", "material": "dysprosium-oxide", "place": "US", "available": "2026-Q4", "quantity_kg": 500,
    "used_kg": 0, "left_kg": 500, "uses": [],
}  # fmt: skip
BAR = {
    "rule": "no-cn", "start": "2026-10-01", "unproven": False, "stage": "mined", "countries": ["CN"], "clause": "", "reason": "", "heals": "a waiver",
}  # fmt: skip
BARRED = {
    "demand_material": "dysprosium-oxide",
    "end_use": "defense",
    "place": "US",
    "verdict": "barred",
    "periods": [],
    "bars": [BAR],
}
LIMIT = {
    "rule": "half",
    "label": "2027-Q1",
    "sentence": "",
    "value": 1,
    "at_least": 2,
    "at_most": None,
    "missed_by": 1,
    "penalty": 5000,
}
LEVEL = {
    "rank": 1, "minimise": "shortage", "sentence": "shortage of defense, at its price", "unit": "USD", "implied": False, "value": 0, "bound": 0,
    "gap": 0, "least": 0, "within": 0,
}  # fmt: skip
EXPOSED = {
    "rule": "cn-46", "title": "", "cost": 5000, "materials": {"dysprosium-oxide": 500}, "offers": ["cn"], "first": "2026-Q4",
    "unknown": [{"start": "2026-11-28", "note": "no extension found"}],
}  # fmt: skip
ROUNDED = {
    "kind": "lead time",
    "name": "far",
    "stated": "140 days",
    "counted": "as 2 quarters, to the first day of one",
}
ACCEPTED = [
    {"subject": "accepted", "text": "evidence counts from `assumed` on"},
    {"subject": "accepted", "text": "50 % of `announced` capacity counts"},
]


def told(width: int = 100, folder: str = "", **changed: Any) -> str:
    """The screen in one line."""
    return " ".join(plain_text(screen_document(run(**changed), folder), width, most=LINES).split())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"limits": [LIMIT, LIMIT]}, "Limits not kept: half in 2 rows, penalty about USD 10,000"),
        ({"levels": [LEVEL]}, "Objectives in order: shortage of defense, at its price"),
        ({"changes": ["disable=half"]}, "Changed from the case: disable=half"),
        ({"holdings": [LOT | {"used_kg": 300, "left_kg": 200}]}, "In hand or on order: 1 (1 used); left over: vault 200 kg"),
        ({"holdings": [LOT | {"uses": [BARRED]}]}, "Paid for, and barred from all that wants it: the stock vault, 500 kg of Dysprosium oxide: no-cn"),
        (
            {"by_months": [{"demand": "fighters", "short_kg": 500, "by_months_kg": 300, "only_kg": 200}]},
            "Short only because the plan counts in whole periods: Dysprosium oxide for fighters 200 kg of 500 kg Dy2O3 (`--full`)",
        ),
        (
            {"rounded": [ROUNDED, ROUNDED | {"kind": "rule"}]},
            "Counted in whole quarters: 1 lead time and 1 date rounded (`--full`, `--period month`)",
        ),
        (
            {"purchases": [PURCHASE | {"late_days": 3}]},
            "Late by 3 days: 1 order due before 2027-01-03 would arrive later",
        ),
        (
            {"purchases": [PURCHASE | {"at_once": True}]},
            "Short until it arrives: order at once what is marked so (1 order: Dysprosium oxide)",
        ),
        ({"made": "2026-11-26", "plugins": [PLUGIN]}, "Old data: pack laws, as of 2026-01-01, 329 days old"),
        ({"made": "2026-01-02", "plugins": [PLUGIN, PLUGIN | {"as_of": None, "name": "new"}]}, "data as of an unknown day"),
        ({"plugins_blocked": [{"name": "acme", "by": ["--block"], "plugins": ["acme 1"]}]}, "Planned without acme (acme 1), blocked by --block"),
        ({"assumptions": [{"subject": "no duty charged", "text": "trisulfide: no rule in use names its tariff line, 2830.90. It is charged none"}]}, "No duty charged, no tariff line known: trisulfide"),
        ({"assumptions": [{"subject": "highest duty charged", "text": "kr-oxide: its customs origin is not known. It is charged the most"}]}, "Highest duty charged, customs origin not known: kr-oxide"),
        (
            {"exposed": [EXPOSED]},
            "Exposed: cn-46, unknown from 2026-11-28 on (no extension found). Counted as not in force; if it is (--strict), it forbids USD 5,000 from 2026-Q4 on: Dysprosium oxide 500 kg Dy2O3",
        ),
        ({"assumptions": ACCEPTED}, "Accepted by the case: evidence counts from `assumed` on; 50 % of `announced` capacity counts"),
    ],
)  # fmt: skip
def test_what_is_to_be_known_of_a_plan_is_told(changed: dict[str, Any], words: str) -> None:
    """Each where there is such a thing, and nowhere else."""
    assert words in told(**changed)
    assert words.partition(":")[0] not in told()


def test_an_order_that_is_late_is_marked() -> None:
    """On its line, and in full where every table is printed."""
    late = run(purchases=[PURCHASE | {"late_days": 1}])
    assert "2026-12-31, late" in plain_text(screen_document(late), 120)
    assert "2026-12-31, late by 1 day" in plain_text(plan_document(late), 200)
    assert "2026-12-31, late" not in plain_text(screen_document(run()), 120)


def test_an_order_to_be_placed_at_once_is_marked() -> None:
    """On its line, where it is printed with the first day on which it can be placed."""
    urgent = run(purchases=[PURCHASE | {"at_once": True}])
    assert "2026-12-31, at once" in plain_text(screen_document(urgent), 120)
    assert "2026-12-31, at once" in plain_text(plan_document(urgent), 200)
    assert "at once" not in plain_text(screen_document(run()), 120)


def test_months_are_the_shortest_periods() -> None:
    """What is rounded to whole months is told too, and nothing that would count in shorter ones."""
    month = [{"label": "2026-10", "start": "2026-10-01", "end": "2026-10-31"}]
    words = told(rounded=[ROUNDED], periods=month, purchases=[], shortages=[], demands=[])
    assert "Counted in whole months: 1 lead time rounded (`--full`)" in words
    assert "--period" not in words


def test_money_and_what_to_do_next_are_told() -> None:
    """Cash by year, the present value, what much of the cash goes to beside prices, and how to see more."""
    cash = [{"period": "2026-Q4", "on": "use", "place": "US", "amount": 900000}]
    cash += [{"period": "2027-Q1", "on": "onboarding", "amount": 200000}]
    shown = told(cash=cash)
    assert "spends USD 1.1 million;" in shown
    assert "by year of order: 2026 900,000, 2027 200,000" in shown
    assert "present value USD 1.03 million" in shown
    assert "`--full`: every table; `--out FOLDER`, then `friendshore report FOLDER`: a page" in told()
    assert "`--full`: every table; `friendshore report out/run`: a page" in told(folder="out/run")


def test_conflicts_come_first_and_are_counted() -> None:
    """Rules by name with what they say, materials, and when a floor can first be kept; of many, the first and how many more."""
    one = {
        "rules": ["half", "all"],
        "sentences": ["No more than half.", "All of it."],
        "materials": ["ore"],
        "demands": [],
        "holds_from": {"all": "2028-01-01"},
    }
    shown = told(status="infeasible", purchases=[], conflicts=[one])
    assert (
        "half: No more than half; all: All of it. Nothing is planned for ore. all can first be kept from 2028-01-01 on"
        in shown
    )
    assert shown.index("half: No more") < shown.index("Never or late met") < shown.index("nothing is bought")
    few = told(conflicts=[one | {"materials": [name]} for name in ("a", "b")])
    assert few.count("Nothing is planned for") == 2
    assert "more conflict" not in few
    many = told(conflicts=[one | {"materials": [f"m{i}"]} for i in range(9)])
    assert many.count("Nothing is planned for") + int(many[: many.index(" more conflicts")].split()[-1]) == 9


def test_causes_are_shown_largest_first() -> None:
    """With the kilograms that each of several keeps out; with less room rules by their ids, then kinds alone."""
    law = {"restrictions": [{"kind": "law", "names": ["no-cn"], "offers": ["a", "b"]}], "served_kg": 300}
    date = {"restrictions": [{"kind": "date", "names": ["d"], "first": "2027-Q4"}], "served_kg": 100}
    short = [SHORT | {"period": period, "causes": [law, date]} for period in ("2026-Q4", "2027-Q1")]
    late, never = (told(140, shortages=short, demands=[DEMAND | {"first_met": met}]) for met in ("2027-Q4", ""))
    for shown in (late, never):
        assert "law: no-cn (600 kg), date: arrives 2027-Q4 (200 kg)" in shown
    assert "Never or late met" in late
    assert "Never or late met" not in never
    unproven = [
        {
            "restrictions": [{"kind": kind, "names": ["a-long-name-of-a-rule"]} for kind in ("limit", "proof")],
            "served_kg": 1,
        }
    ]
    for width, words in (
        (140, "limit: a-long-name-of-a-rule and origin unproven"),
        (100, "a-long-name-of-a-rule + unproven"),
        (75, "limit + unproven"),
    ):
        assert words in told(width, shortages=[SHORT | {"period": "2026-Q4", "causes": unproven}])


def test_a_maker_s_own_price_is_called_a_fee() -> None:
    """Its full price stands beside it, in the column of prices."""
    draw = {
        "offer": PURCHASE["offer"],
        "material": "ore",
        "place": "US",
        "requirement": "R1",
        "period": "2027-Q1",
        "quantity_kg": 1,
    }
    shown = told(draws=[draw])
    assert "From (fee: without inputs)" in shown
    assert "Example heavy rare-earth circuit 100 % (fee 1,000)" in told(120, draws=[draw])
    assert "fee" not in told()


def test_the_most_money_comes_first() -> None:
    """Among purchases and orders, also where going without would weigh more, so that the rows shown cover most of the spend."""
    wanted = [
        DEMAND | {"id": name, "material": name, "shortage_price": price}
        for name, price in (("cheap", 1), ("dear", 100))
    ]
    bought = [
        PURCHASE | {"material": name, "offer": f"{name}-offer", "facility": "", "cost": cost}
        for name, cost in (("ore", 9e9), ("cheap", 9e6), ("dear", 5))
    ]
    shown = told(demands=wanted, purchases=bought)
    assert shown.index("ore-offer") < shown.index("cheap-offer") < shown.index("dear-offer")
    assert "USD million" in shown
    assert "ore defense 1,235 t 9,000" in shown, "spend stands in the table"
    orders = shown[shown.index("Order by") :]
    assert orders.index("ore-offer") < orders.index("cheap-offer") < orders.index("dear-offer"), "orders by money"


SULFIDE = {
    "id": "dysprosium-oxide",
    "name": "Dysprosium oxide",
    "basis": "Dy",
    "equal_kg": {"Dy2O3": 1.1477, "DyO": 1.098},
}


def test_quantities_say_what_they_weigh() -> None:
    """In all three tables, and below them what that equals; goods that are weighed as they are say nothing."""
    shown = told(materials=[SULFIDE])
    assert "500 kg Dy" in shown
    assert shown.count("1,235 t Dy") == 2, "bought, and to be ordered"
    assert "By weight: 1 t Dy = 1.148 t Dy2O3." in shown
    gross = told(materials=[SULFIDE | {"basis": "gross", "equal_kg": {}}])
    assert " Dy " not in gross
    assert "By weight" not in gross
    every = plain_text(plan_document(run(materials=[SULFIDE])), 200)
    assert "By weight: 1 t Dy = 1.148 t Dy2O3 = 1.098 t DyO." in every
    assert "8.5 t Dy" in every
    assert "Example heavy rare-earth circuit (example-dysprosium-oxide)" in every, "names come before ids"


def test_suppliers_go_by_name() -> None:
    """The plant, with its company where there is room; the offer's id only where a plant has two offers of the material, or no name."""
    shown = told()
    assert "example-dysprosium-oxide" not in shown
    assert "Example heavy rare-earth circuit 100 %" in told(120)
    assert "Example heavy rare-earth circuit, Example Rare Earths" in told(140)
    two = told(200, purchases=[PURCHASE, PURCHASE | {"offer": "second", "cost": 5}])
    assert "Example heavy rare-earth circuit (second)" in two
    assert "example-dysprosium-oxide" in told(purchases=[PURCHASE | {"facility": "plant", "facility_id": "plant"}])


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_long_name_is_shortened_and_never_only_counted(width: int) -> None:
    """Its first words stand in both tables."""
    shown = told(
        width,
        purchases=[PURCHASE | {"facility": "Example heavy rare-earth circuit of the northern plains, second line"}],
    )
    assert shown.count("Example") >= 2
    assert "1 offer" not in shown


def test_the_first_priority_comes_first() -> None:
    """Among shortages and orders, however little it weighs, and also where a purchase serves several uses."""
    uses = {"civil": 9e9, "defense": 5, "civil+defense": 7}
    wanted = [
        DEMAND | {"id": use, "material": f"{use}-good", "end_use": use, "shortage_price": price}
        for use, price in (("civil", 900), ("defense", 1))
    ]
    bought = [PURCHASE | {"material": f"{use}-ore", "end_use": use, "cost": cost} for use, cost in uses.items()]
    facts = {"demands": wanted, "purchases": bought, "shortages": []}
    first, last = told(200, priority=["defense"], **facts), told(200, **facts)
    shorts, orders = (first[first.index(head) :] for head in ("Never or late met", "Order by"))
    assert shorts.index("defense-good") < shorts.index("civil-good")
    assert orders.index("civil+defense-ore") < orders.index(" defense-ore") < orders.index(" civil-ore")
    assert last.index("civil-good") < last.index("defense-good")
    orders = last[last.index("Order by") :]
    assert orders.index(" civil-ore") < orders.index("civil+defense-ore")


def test_materials_of_one_basis_share_a_conversion() -> None:
    """On the screen those of two bases that most is spent on, and how many more there are."""
    names = {"a": "Sb", "b": "W", "c": "W", "d": "Ge"}
    known = [
        {"id": name, "name": "", "basis": basis, "equal_kg": {f"{basis}O{name}": 2}} for name, basis in names.items()
    ]
    bought = [PURCHASE | {"material": name, "cost": 10 - n} for n, name in enumerate(names)]
    assert "By weight: 1 t Sb = 2 t SbOa, 1 t W = 2 t WOb, 1 other (--full)." in told(materials=known, purchases=bought)
    every = " ".join(plain_text(plan_document(run(materials=known, purchases=bought)), 120).split())
    assert "1 t W = 2 t WOb = 2 t WOc, 1 t Ge" in every


def test_a_row_for_each_program_and_material_shows_its_years() -> None:
    """Demands of one program are one row, with a column for each year in which anything is short; so are those of two places two rows."""
    years = [{"label": f"{year}-Q1", "start": f"{year}-01-01", "end": f"{year}-03-31"} for year in (2027, 2028, 2029)]
    wanted = [
        DEMAND
        | {
            "id": f"{program}/{year}",
            "first_met": "",
            "program": program,
            "short_kg": 1000,
            "wanted_kg": 2000,
            "delivered_kg": 1000,
        }
        for program, year in (("jets", 2027), ("jets", 2029), ("ships", 2029))
    ]
    short = [
        SHORT | {"demand": one["id"], "period": f"{one['id'][-4:]}-Q1", "quantity_kg": 1000, "causes": []}
        for one in wanted
    ]
    facts = {"periods": years, "demands": wanted, "shortages": short, "purchases": [], "materials": [SULFIDE]}
    shown = plain_text(screen_document(run(**facts)), 120).splitlines()
    head = next(i for i, line in enumerate(shown) if line.startswith("Never"))
    assert shown[head].split()[:7] == ["Never", "met", "For", "Short", "Part", "2027", "2029"]
    rows = [" ".join(line.split()) for line in shown[head + 1 : head + 3]]
    assert rows == ["Dysprosium oxide jets, defense 2 t Dy 50 % 1 1", "Dysprosium oxide ships, defense 1 t Dy 50 % – 1"]


def test_materials_go_by_short_names_that_tell_them_apart() -> None:
    """Only what tells two names apart follows the comma; hyphenated elements are symbols; names that would look alike keep their ids."""
    names = {
        "magnet": "Neodymium-iron-boron magnet, sintered",
        "magnet-dy": "Neodymium-iron-boron magnet, sintered, high temperature",
        "trioxide": "Antimony trioxide, below 99.99 %",
        "nameless": "",
        "twin-1": "Ore",
        "twin-2": "Ore",
        "pull-on": "Pull-on boot",
    }
    assert short_names(names) == {
        "magnet": "NdFeB magnet",
        "magnet-dy": "NdFeB magnet (high temperature)",
        "trioxide": "Antimony trioxide",
        "nameless": "nameless",
        "twin-1": "Ore (twin-1)",
        "twin-2": "Ore (twin-2)",
        "pull-on": "Pull-on boot",
    }
    known = ShownNames(materials=[RunMaterial(id=each, name=name, basis="gross") for each, name in names.items()])
    assert [known.label(each) for each in ("magnet-dy", "magnet", "unknown")] == [
        "NdFeB magnet (high …",
        "NdFeB magnet",
        "unknown",
    ]
