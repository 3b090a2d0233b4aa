"""The screen of a run made by hand: each thing to know of a plan is told in a line or two, or counted."""

from __future__ import annotations

from typing import Any

import pytest

from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.domain.shown_names import RunMaterial, ShownNames, short_names
from friendshore.report import plan_document
from friendshore.report.caveats import caveat_data

from .test_report import CONFLICT, DEMAND, PURCHASE, SHORT, run

PLUGIN = {"name": "laws", "kind": "pack", "distribution": "acme 1", "digest": "", "as_of": "2026-01-01"}
LOT: dict[str, Any] = {
    "lot": "vault", "kind": "stock", "offer": "", "material": "dysprosium-oxide", "place": "US", "available": "2026-Q4", "quantity_kg": 500,
    "used_kg": 0, "left_kg": 500, "uses": [],
}  # fmt: skip
BAR = {
    "rule": "no-cn", "start": "2026-10-01", "unproven": False, "stage": "mined", "countries": ["CN"], "clause": "", "reason": "", "fix": "a waiver",
}  # fmt: skip
BARRED = {"demand_material": "dysprosium-oxide", "end_use": "defense", "place": "US", "verdict": "barred", "periods": [], "prohibitions": [BAR]}  # fmt: skip
LIMIT = {"rule": "half", "label": "2027-Q1", "sentence": "", "value": 1, "at_least": 2, "at_most": None, "missed_by": 1, "penalty": 5000}  # fmt: skip
LEVEL = {
    "rank": 1, "minimize": "shortage", "sentence": "shortage of defense, at its price", "unit": "USD", "implied": False, "value": 0, "bound": 0,
    "gap": 0, "best_value": 0, "within": 0,
}  # fmt: skip
RULE = {
    "id": "no-cn",
    "kind": "origin-ban",
    "title": "",
    "citation": "",
    "sentence": "",
    "status": "enacted",
    "phases": [],
    "applies": True,
}
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
TEXTS = ("evidence counts from `assumed` on", "50% of `announced` capacity counts")
ACCEPTED = [{"subject": "accepted", "text": text} for text in TEXTS]


def told(width: int = 100, folder: str = "", **changed: Any) -> str:
    """The screen in one line."""
    return " ".join(plain_text(plan_document(run(**changed), folder).on_screen(), width, max_lines=LINES).split())


def whole(width: int = 200, **changed: Any) -> str:
    """Every table, in one line."""
    return " ".join(plain_text(plan_document(run(**changed)), width).split())


def in_order(shown: str, *words: str) -> bool:
    """Return True if the words follow one another."""
    return [shown.index(one) for one in words] == sorted(shown.index(one) for one in words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"limits": [LIMIT, LIMIT]}, "Missed limits: half in 2 rows, penalty about USD 10,000"),
        ({"levels": [LEVEL]}, "Objectives in order: shortage of defense, at its price"),
        ({"changes": ["disable=half"]}, "Changes to the case: disable=half"),
        ({"holdings": [LOT | {"used_kg": 300, "left_kg": 200}]}, "Stock and open orders: 1 of 1 lot used; left over: vault 200 kg"),
        ({"holdings": [LOT | {"uses": [BARRED]}]}, "Paid for, but prohibited for all uses that need it: the stock vault, 500 kg of Dysprosium oxide: no-cn"),
        ({"by_months": [{"demand": "fighters", "short_kg": 500, "monthly_short_kg": 300, "due_to_periods_kg": 200}]}, "Short only because the plan counts in whole periods: Dysprosium oxide for fighters 200 kg of 500 kg Dy2O3 (--full)"),
        ({"rounded": [ROUNDED, ROUNDED | {"kind": "rule"}]}, "Counted in whole quarters: 1 lead time and 1 date rounded (--full, --period month)"),
        ({"purchases": [PURCHASE | {"late_days": 3}]}, "Late by 3 days: 1 order due before 2027-01-03 would arrive later"),
        ({"purchases": [PURCHASE | {"at_once": True}]}, "Short until they arrive: 1 order to place at once, as marked (Dysprosium oxide)"),
        ({"planned_on": "2026-11-26", "plugins": [PLUGIN]}, "Old data: pack laws, as of 2026-01-01, 329 days old"),
        ({"planned_on": "2026-01-02", "plugins": [PLUGIN, PLUGIN | {"as_of": None, "name": "new"}]}, "data as of an unknown day"),
        ({"plugins_blocked": [{"name": "acme", "by": ["--block"], "plugins": ["acme 1"]}]}, "Planned without acme (acme 1), blocked by --block"),
        ({"assumptions": [{"subject": "no duty charged", "text": "trisulfide: no rule in use names its tariff line, 2830.90. It is charged none"}]}, "No duty charged, no tariff line known: trisulfide"),
        ({"assumptions": [{"subject": "highest duty charged", "text": "kr-oxide: its customs origin is not known. It is charged the most"}]}, "Duty estimated, the highest for any country: kr-oxide"),
        ({"assumptions": [{"subject": "s", "text": "trisulfide: it has no tariff line", "code": "FS804", "short": "trisulfide"}]}, "No duty charged, no tariff line known: trisulfide ! Based on 1"),
        ({"exposed": [EXPOSED]}, "At risk from 2026-Q4: status of cn-46 unknown from 2026-11-28 on (--strict enforces it)"),
        ({"assumptions": ACCEPTED}, "Accepted by the case: evidence counts from assumed on; 50% of announced capacity counts"),
    ],
)  # fmt: skip
def test_what_is_to_be_known_of_a_plan_is_told(changed: dict[str, Any], words: str) -> None:
    """Each where there is such a thing, and nowhere else."""
    assert words in told(**changed)
    assert words.partition(":")[0] not in told()


def test_the_whole_document_prints_the_codes_of_caveats_and_a_screen_does_not() -> None:
    """In parentheses, before the period that ends the caveat; the data have code and text."""
    changed: dict[str, Any] = {"exposed": [EXPOSED], "conflicts": [CONFLICT], "holdings": [LOT | {"uses": [BARRED]}]}
    for code in ("FS830", "FS835", "FS836"):
        assert f" ({code})" in whole(**changed)
        assert code not in told(**changed)
    assert [row["code"] for row in caveat_data(run(**changed)) if row["code"]] == ["FS835", "FS836"]
    assert "oxide: no-cn (FS836)." in whole(**changed)


@pytest.mark.parametrize(
    ("changed", "mark", "in_full"),
    [({"late_days": 1}, ", late", ", late by 1 day"), ({"at_once": True}, ", at once", ", at once")],
)
def test_an_order_that_is_late_or_to_be_placed_at_once_is_marked(
    changed: dict[str, Any], mark: str, in_full: str
) -> None:
    """On its line, and in full where every table is printed."""
    assert f"2026-12-31{mark}" in told(120, purchases=[PURCHASE | changed])
    assert f"2026-12-31{in_full}" in whole(purchases=[PURCHASE | changed])
    assert mark not in told(120)


def test_a_price_without_a_tariff_line_says_so() -> None:
    """In the mix, in the order, and in every table. The price of another material says nothing."""
    no_line = {"subject": "no duty charged", "text": "dy-oxide: it has no tariff line", "code": "FS804"}
    unchecked: dict[str, Any] = {"purchases": [PURCHASE], "assumptions": [no_line | {"short": PURCHASE["material"]}]}
    assert told(120, **unchecked).count("1,000, duty not checked") == 2
    assert whole(**unchecked).count("1,000, duty not checked") > 2
    assert "duty not checked" not in whole(**unchecked | {"assumptions": [no_line | {"short": "tin"}]})


def test_an_estimated_duty_stands_beside_the_price() -> None:
    """In the mix, in the order, and in every table, with the amount and what settles it. A price without a charge has none."""
    unknown = {"subject": "highest duty charged", "text": "o: unknown", "code": "FS805", "short": PURCHASE["offer"]}
    dutiable: dict[str, Any] = {
        "purchases": [PURCHASE | {"charges": 500 * PURCHASE["quantity_kg"]}],
        "assumptions": [unknown],
    }
    assert told(120, **dutiable).count("1,000, duty estimated") == 2
    assert (
        "Example heavy rare-earth circuit USD 500/kg. Ask where it was last processed, and state customs_origin"
        in told(120, **dutiable)
    )
    assert whole(**dutiable).count("1,000, duty estimated") > 2
    assert "1,000, duty estimated" not in whole(**dutiable | {"purchases": [PURCHASE]})


def test_months_are_the_shortest_periods() -> None:
    """What is rounded to whole months is told too, and nothing that would count in shorter ones."""
    month = [{"label": "2026-10", "start": "2026-10-01", "end": "2026-10-31"}]
    words = told(rounded=[ROUNDED], periods=month, purchases=[], shortages=[], demands=[])
    assert "Counted in whole months: 1 lead time rounded (--full)" in words
    assert "--period" not in words


def test_cash_is_told_by_year_of_order_and_a_kept_run_by_its_folder() -> None:
    """What much of it goes to beside prices counts too."""
    use = {"period": "2026-Q4", "purpose": "use", "place": "US", "amount": 900000}
    shown = told(folder="out/run", cash=[use, {"period": "2027-Q1", "purpose": "onboarding", "amount": 200000}])
    assert "costs USD 1.1 million" in shown
    assert "By year of order: 2026 900,000, 2027 200,000" in shown
    assert "friendshore report out/run (a report)" in shown


def test_conflicts_come_first_and_are_counted() -> None:
    """Rules by name with what they say, materials, and when a floor can first be kept; of many, the first and how many more."""
    one = CONFLICT | {"rules": ["half", "all"], "sentences": ["No more than half.", "All of it."]}
    shown = told(status="infeasible", purchases=[], conflicts=[one | {"feasible_from": {"all": "2028-01-01"}}])
    assert (
        "half: No more than half; all: All of it. Nothing is planned for tin. all can be satisfied from 2028-01"
        in shown
    )
    assert in_order(shown, "half: No more", "Met late or not", "nothing is bought")
    few = told(conflicts=[one | {"materials": [name]} for name in ("a", "b")])
    assert (few.count("Nothing is planned for"), "more conflict" in few) == (2, False)
    many = told(conflicts=[one | {"materials": [f"m{i}"]} for i in range(9)])
    assert many.count("Nothing is planned for") + int(many[: many.index(" more conflicts")].split()[-1]) == 9


def test_causes_are_shown_largest_first() -> None:
    """With the kilograms that each of several keeps out; with less room rules by their ids."""
    law = {"restrictions": [{"kind": "law", "names": ["no-cn"], "offers": ["a", "b"]}], "served_kg": 300}
    date = {"restrictions": [{"kind": "date", "names": ["d"], "first": "2027-Q4"}], "served_kg": 100}
    short = [SHORT | {"period": period, "causes": [law, date]} for period in ("2026-Q4", "2027-Q1")]
    late, never = (told(140, shortages=short, demands=[DEMAND | {"first_met": met}]) for met in ("2027-Q4", ""))
    for shown, never_or_late in ((late, True), (never, False)):
        assert "prohibited by no-cn (600 kg); date: counts from 2027-Q4 (200 kg)" in " ".join(shown.split())
        assert ("Met late or not" in shown) is never_or_late
    kinds = [{"kind": kind, "names": ["name-of-the-rule"]} for kind in ("limit", "proof")]
    unproven = SHORT | {"period": "2026-Q4", "causes": [{"restrictions": kinds, "served_kg": 1}]}
    for width, words in (
        (140, "limited by name-of-the-rule and origin not proven"),
        (85, "name-of-the-rule and origin not proven"),
    ):
        assert words in told(width, shortages=[unproven])


def test_a_rule_is_named_by_its_title() -> None:
    """Whole, by its short title where it has one, and with its id if two rules have the title."""
    law = {"restrictions": [{"kind": "law", "names": ["no-cn"]}], "served_kg": 300}
    short = [SHORT | {"period": "2026-Q4", "causes": [law]}]
    titled = RULE | {"id": "no-cn", "title": "Neodymium-iron-boron magnets: from the mine on, as the statute requires"}
    assert 'prohibited by "NdFeB magnets: from the mine on' in told(140, shortages=short, rules=[titled])
    assert 'rule "NdFeB magnets, mined to made"' in told(
        80, shortages=short, rules=[titled | {"short_title": "NdFeB magnets, mined to made"}]
    )
    twice = [titled | {"title": "Magnets"}, titled | {"id": "no-ru", "title": "Magnets"}]
    assert 'prohibited by "Magnets" (no-cn)' in told(140, shortages=short, rules=twice)


def test_the_most_money_comes_first() -> None:
    """Among purchases and orders, also where going without would weigh more, so that the rows shown cover most of the spend."""
    prices, costs = {"cheap": 1, "dear": 100}, {"ore": 9e9, "cheap": 9e6, "dear": 5}
    shown = told(
        demands=[DEMAND | {"id": name, "material": name, "shortage_price": usd} for name, usd in prices.items()],
        purchases=[
            PURCHASE | {"material": name, "offer": f"{name}-offer", "facility": "", "cost": usd}
            for name, usd in costs.items()
        ],
        shortages=[],
    )
    offers = ("ore-offer", "cheap-offer", "dear-offer")
    assert in_order(shown, *offers)
    assert in_order(shown[shown.index("Order by") :], *offers)
    assert "ore defense 1,235 t 9,000" in shown, "spend stands in the table, in USD million"
    assert "USD million" in shown


SULFIDE = {"id": "dysprosium-oxide", "name": "Dysprosium oxide", "basis": "Dy", "equal_kg": {"Dy2O3": 1.1477, "DyO": 1.098}}  # fmt: skip


def test_quantities_say_what_they_weigh() -> None:
    """In all three tables, and below them what that equals; goods that are weighed as they are say nothing."""
    shown = told(materials=[SULFIDE])
    assert "500 kg Dy" in shown
    assert shown.count("1,235 t Dy") == 2, "bought, and to be ordered"
    assert "By weight: 1 t Dy = 1.148 t Dy2O3." in shown
    gross = told(materials=[SULFIDE | {"basis": "gross", "equal_kg": {}}])
    assert not [words for words in (" Dy ", "By weight") if words in gross]
    every = whole(materials=[SULFIDE])
    assert "By weight: 1 t Dy = 1.148 t Dy2O3 = 1.098 t DyO." in every
    assert "8.5 t Dy" in every
    assert "Example heavy rare-earth circuit (example-dysprosium-oxide)" in every, "names come before ids"


def test_suppliers_go_by_name() -> None:
    """The plant, with its company where there is room; the offer's id only where a plant has two offers of the material, or no name."""
    assert "example-dysprosium-oxide" not in told()
    assert "Example heavy rare-earth circuit 100%" in told(120)
    assert "Example heavy rare-earth circuit, Example Rare Earths" in told(140)
    two = [PURCHASE, PURCHASE | {"offer": "second", "cost": 5}]
    assert "Example heavy rare-earth circuit (second)" in told(200, purchases=two)
    assert "example-dysprosium-oxide" in told(purchases=[PURCHASE | {"facility": "plant", "facility_id": "plant"}])


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_long_name_is_shortened_and_never_only_counted(width: int) -> None:
    """Its first words stand in both tables."""
    long = "Example heavy rare-earth circuit of the northern plains, second line"
    shown = told(width, purchases=[PURCHASE | {"facility": long}])
    assert shown.count("Example") >= 2
    assert "1 offer" not in shown


def test_the_first_priority_comes_first() -> None:
    """Among shortages and orders, however little it weighs, and also where a purchase serves several uses."""
    uses, prices = {"civil": 9e9, "defense": 5, "civil+defense": 7}, {"civil": 900, "defense": 1}
    wanted = [DEMAND | {"id": u, "material": f"{u}-good", "end_use": u, "shortage_price": p} for u, p in prices.items()]
    bought = [PURCHASE | {"material": f"{use}-ore", "end_use": use, "cost": cost} for use, cost in uses.items()]
    facts = {"demands": wanted, "purchases": bought, "shortages": []}
    first, last = told(200, priority=["defense"], **facts), told(200, **facts)
    assert in_order(first[first.index("Met late or not") :], "defense-good", "civil-good")
    assert in_order(first[first.index("Order by") :], "civil+defense-ore", " defense-ore", " civil-ore")
    assert in_order(last, "civil-good", "defense-good")
    assert in_order(last[last.index("Order by") :], " civil-ore", "civil+defense-ore")


def test_materials_of_one_basis_share_a_conversion() -> None:
    """On the screen those of two bases that most is spent on, and how many more there are."""
    bases = {"a": "Sb", "b": "W", "c": "W", "d": "Ge"}
    known = [{"id": id_, "name": "", "basis": basis, "equal_kg": {f"{basis}O{id_}": 2}} for id_, basis in bases.items()]
    bought = [PURCHASE | {"material": name, "cost": 10 - n} for n, name in enumerate(bases)]
    assert "By weight: 1 t Sb = 2 t SbOa, 1 t W = 2 t WOb, 1 other (--full)." in told(materials=known, purchases=bought)
    assert "1 t W = 2 t WOb = 2 t WOc, 1 t Ge" in whole(120, materials=known, purchases=bought)


def test_a_row_for_each_program_and_material_shows_its_years() -> None:
    """Demands of one program are one row, with a column for each year in which anything is short; so are those of two places two rows."""
    years = [{"label": f"{year}-Q1", "start": f"{year}-01-01", "end": f"{year}-03-31"} for year in (2027, 2028, 2029)]
    wanted, short = [], []
    for program, year in (("jets", 2027), ("jets", 2029), ("ships", 2029)):
        sums = {"first_met": "", "short_kg": 1000, "wanted_kg": 2000, "delivered_kg": 1000}
        wanted.append(DEMAND | sums | {"id": f"{program}/{year}", "program": program})
        row = {"demand": f"{program}/{year}", "period": f"{year}-Q1", "quantity_kg": 1000, "causes": []}
        short.append(SHORT | row)
    facts = {"periods": years, "demands": wanted, "shortages": short, "purchases": [], "materials": [SULFIDE]}
    shown = [" ".join(line.split()) for line in plain_text(plan_document(run(**facts)).on_screen(), 120).splitlines()]
    head = next(i for i, line in enumerate(shown) if line.startswith("Not met"))
    assert shown[head].startswith("Not met For Short Part 2027 2029")
    assert shown[head + 1 : head + 3] == [
        "Dysprosium oxide jets, defense 2 t Dy 50% 1 1",
        "Dysprosium oxide ships, defense 1 t Dy 50% – 1",
    ]


def test_materials_go_by_short_names_that_tell_them_apart() -> None:
    """Only what tells two names apart follows the comma; hyphenated elements are symbols; names that would look alike keep their ids."""
    names = {
        "magnet": ("Neodymium-iron-boron magnet, sintered", "NdFeB magnet"),
        "magnet-dy": ("Neodymium-iron-boron magnet, sintered, high temperature", "NdFeB magnet (high temperature)"),
        "trioxide": ("Antimony trioxide, below 99.99%", "Antimony trioxide"),
        "nameless": ("", "nameless"),
        "twin-1": ("Ore", "Ore (twin-1)"),
        "twin-2": ("Ore", "Ore (twin-2)"),
        "pull-on": ("Pull-on boot", "Pull-on boot"),
    }
    assert short_names({each: name for each, (name, _) in names.items()}) == {each: s for each, (_, s) in names.items()}
    known = ShownNames(materials=[RunMaterial(id=each, name=name, basis="gross") for each, (name, _) in names.items()])
    labels = [known.material(each) for each in ("magnet-dy", "magnet", "unknown")]
    assert labels == ["NdFeB magnet (high temperature)", "NdFeB magnet", "unknown"]
