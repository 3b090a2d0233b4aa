"""Dependence on countries of concern: by seller, step, and input, with every purchase counted once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from friendshore.case import load_case
from friendshore.document.elements import DataTable, KeyFigures
from friendshore.document.figures import written
from friendshore.domain.case import Concern
from friendshore.domain.change import Change
from friendshore.domain.countries import COVERED_NATIONS
from friendshore.domain.run import Run
from friendshore.questions.compare.compare_plans import compare
from friendshore.questions.compare.comparison_document import comparison_document
from friendshore.report.page import page_document
from friendshore.report.plan import plan_document
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.rows import Row
from friendshore.rules.terms import SpentTerm
from friendshore.rules.verdicts import Dependence, dependence_of
from friendshore.verify import examine
from friendshore_pages.report import report_document

from ..building import (
    METAL,
    bought,
    built,
    case,
    catalog,
    chain,
    demand,
    done,
    facility,
    maker,
    metals,
    offer,
    planned,
    refused,
    rule,
    source,
    stock,
    unwrapped,
)

CHINA = Concern(countries=frozenset({"CN"}))
ONE = demand("metal", "civil", 10)


ALL_AU = chain("AU", *METAL)
BUT_REFINED = chain("AU", "mined", "melted")
STEPS = {
    "nothing in China": (ALL_AU, {}, Dependence.NO),
    "all in China": (chain("CN", *METAL), {}, Dependence.IS),
    "one step in China": ((*BUT_REFINED, done("refined", "CN")), {}, Dependence.IS),
    "Australia or China": ((*BUT_REFINED, done("refined", "AU", "CN")), {}, Dependence.MAY_BE),
    "Australia or elsewhere": ((*BUT_REFINED, done("refined", "AU", complete=False)), {}, Dependence.MAY_BE),
    "China or elsewhere": ((*BUT_REFINED, done("refined", "CN", complete=False)), {}, Dependence.MAY_BE),
    "unknown country": ((*BUT_REFINED, done("refined", complete=False)), {}, Dependence.MAY_BE),
    "a stage left out": (BUT_REFINED, {}, Dependence.MAY_BE),
    "a part of a stage": ((*BUT_REFINED, done("leaching", "AU")), {}, Dependence.MAY_BE),
    "scrap collected in Australia": ((*chain("AU", "refined", "melted"), done("collection", "AU")), {}, Dependence.MAY_BE),
    "scrap collected in China": ((*chain("AU", "refined", "melted"), done("collection", "CN")), {}, Dependence.IS),
    "no chain": ((), {}, Dependence.MAY_BE),
    # Australian metal of a Chinese plant pays a Chinese seller; a stated Chinese customs origin leaves doubt.
    "a seller in China": (ALL_AU, {"country": "CN"}, Dependence.IS),
    "a customs origin": (ALL_AU, {"customs_origin": "CN"}, Dependence.MAY_BE),
    # A chain that doesn't name the mine leaves it open, whatever its material states.
    "a material without stages": (chain("AU", "melted"), {"stages": ()}, Dependence.MAY_BE),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "more", "expected"), STEPS.values(), ids=STEPS)
def test_one_step_is_enough_and_an_unknown_one_may_be(steps: Any, more: dict[str, Any], expected: Dependence) -> None:
    """Fail beats unproven beats pass, as for a ban: what nobody knows is never good news."""
    plant = facility("plant", more.get("country", "AU"))
    sold = offer("sold", "plant", "metal", 10, steps, customs_origin=more.get("customs_origin", ""))
    facts = catalog(plant, sold)
    if "stages" in more:
        facts = facts.but(materials=(facts.materials[2].but(stages=more["stages"]),))
    assert dependence_of(built(case(ONE), facts).offers[0].chained[0], frozenset({"CN"})) is expected


def rows(run: Run, scope: str) -> dict[str, tuple[float, float, float, float]]:
    """Cash, of it of concern, perhaps of concern, and of concern by inputs alone: by name."""
    found = (row for row in run.dependence if row.scope == scope)
    return {
        r.name: (
            float(r.cost),
            float(r.known_concern_cost),
            float(r.possible_concern_cost),
            float(r.input_concern_cost),
        )
        for r in found
    }


MELTED_IN_JAPAN = (source("CN", 10, "oxide"), maker("JP", 5, 2))
FROM_CHINA = catalog(*MELTED_IN_JAPAN)
HALF = rule(Pin, id="half", offer="cn-oxide", exactly=10)
STOCKED = case(ONE, stocks=(stock("oxide", 20, chain("CN", "mined", "refined"), place="JP"),))
TWO_USES = case(ONE, demand("metal", "defense", 4))
BARRED = rule(Budget, id="none", amount=0, countries=["CN"], end_uses=["defense"])


@pytest.mark.parametrize(
    ("given", "facts", "rules", "uses"),
    [
        # Of 20 kg of oxide half is Chinese: the metal may be of concern, and the Australian oxide is not.
        (case(ONE), catalog(*MELTED_IN_JAPAN, source("AU", 20, "oxide")), [HALF], {"civil": (350, 100, 50, 50)}),
        # 20 kg of Chinese oxide in stock at the Japanese plant cost nothing, and the fee of 50 USD pays for Chinese metal.
        (STOCKED, FROM_CHINA, [], {"civil": (50, 50, 0, 50)}),
        # Metal for civil use is Chinese at 10, for defense Australian at 50: a ban keeps China out of one of the two.
        (TWO_USES, metals(), [BARRED], {"civil": (100, 100, 0, 0), "defense": (200, 0, 0, 0)}),
    ],
    ids=["mixed inputs", "stock", "end uses"],
)
def test_cash_is_traced_to_end_uses(
    given: Any, facts: Any, rules: list[Any], uses: dict[str, tuple[float, ...]]
) -> None:
    """Cash, of it of concern, perhaps of concern, and of concern by inputs alone; all uses are the plan."""
    run = planned(given.but(concern=CHINA), facts, *rules).run
    assert rows(run, "end use") == uses
    assert rows(run, "plan") == {"": tuple(map(sum, zip(*uses.values(), strict=True)))}


def test_what_is_made_of_inputs_of_concern_is_of_concern_too() -> None:
    """10 kg of Japanese metal for a fee of 50 USD, made of 20 kg of Chinese oxide for 200 USD: 250 USD, each counted once."""
    run = planned(case(ONE, concern=CHINA), FROM_CHINA).run
    assert rows(run, "plan") == {"": (250, 250, 0, 50)}
    assert rows(run, "material") == {"metal": (50, 50, 0, 50), "oxide": (200, 200, 0, 0)}
    assert rows(run, "end use") == {"civil": (250, 250, 0, 50)}
    (metal,) = (row for row in run.dependence if row.name == "metal")
    assert [metal.quantity_kg, metal.known_concern_kg, metal.possible_concern_kg, metal.share] == [10, 10, 0, 1]
    because = {purchase.offer: purchase.concern_because for purchase in run.purchases}
    assert because == {"jp-melt": ["made of oxide"], "cn-oxide": ["sold from CN", "mined in CN", "refined in CN"]}


def test_the_case_sets_the_countries() -> None:
    """Australia instead of China; none at all; and the covered nations where it says nothing."""
    assert case(ONE).concern.countries == COVERED_NATIONS == {"CN", "HK", "IR", "KP", "MO", "RU"}
    assert rows(planned(case(ONE), metals()).run, "plan") == {"": (100, 100, 0, 0)}
    australia, none = (
        planned(case(ONE, concern=Concern(countries=countries)), metals()).run
        for countries in (frozenset({"AU"}), frozenset())
    )
    assert rows(australia, "plan") == {"": (100, 0, 0, 0)}
    assert (none.dependence, none.countries_of_concern, {p.concern for p in none.purchases}) == ([], [], {""})


CASE = """schema = 1
[case]
name = "c"
start = 2026-01-01
periods = 1
period = "year"
place = "US"
[concern]
countries = {}
"""


def test_a_case_file_names_them_by_code_or_name(tmp_path: Path) -> None:
    """A group stands for its members; a word that is no country is refused with its place."""
    file = tmp_path / "case.toml"
    # An empty list says as little as none.
    for countries, expected in (('["China", "RU"]', {"CN", "RU"}), ("[]", COVERED_NATIONS)):
        file.write_text(CASE.format(countries))
        assert load_case(file).concern.countries == expected
    file.write_text(CASE.format('["China", "Chian"]'))
    (problem,) = refused(load_case, file)
    assert (problem.row, problem.column, "Chian" in problem.found) == (9, "concern.countries", True)


@pytest.mark.parametrize(("amount", "spent"), [(60, 60 + 4 * 50), (0, 500), (1000, 100)])
def test_a_budget_may_be_about_purchases_of_concern(amount: int, spent: int) -> None:
    """10 kg: Chinese at 10 for 60 USD at most, the rest Australian at 50; with 0 all of it is Australian."""
    run = planned(case(ONE), metals(), rule(Budget, amount=amount, countries=["CN"], per="horizon")).run
    (limit,) = run.limits
    assert (run.cost.nominal, limit.value, limit.unit) == (spent, min(amount, 100), "USD")


OPEN = offer("au-open", "au", "metal", 20, (*chain("AU", "mined", "melted"), done("refined", complete=False)))
SUBSIDIARY = facility("sub", "CA", operator="Small Metals", parent="Great Metals Ltd"), source("CA", 5, plant="sub")


@pytest.mark.parametrize(
    ("facts", "fields", "expected"),
    [
        # Metal whose refinery is unknown counts as Chinese.
        (catalog(OPEN, source("AU", 50)), {"amount": 40, "countries": ["CN"]}, {"au-open": 2, "au-metal": 8}),
        # A cap on Great Metals counts its subsidiary; other companies are not counted.
        (metals(*SUBSIDIARY), {"amount": 15, "suppliers": ["Great Metals"]}, {"ca-metal": 3, "cn-metal": 7}),
    ],
    ids=["unknown", "suppliers"],
)
def test_a_budget_counts_what_may_be_of_concern_and_those_whom_suppliers_own(
    facts: Any, fields: dict[str, Any], expected: dict[str, float]
) -> None:
    """10 kg are wanted."""
    assert bought(planned(case(ONE), facts, rule(Budget, per="horizon", **fields))) == expected


def test_the_verifier_asks_which_purchases_a_budget_counts() -> None:
    """Rows that forget the Chinese purchases let any plan pass. The verifier asks the rule about each purchase again."""
    problem = planned(case(ONE), metals(), rule(Budget, amount=1000, countries=["CN"], per="horizon")).plan.problem
    free = planned(case(ONE), metals()).plan.plan
    assert examine(problem, free)[0] is not None
    (((law, row)),) = problem.limit_rows
    assert isinstance(row, Row)
    empty = SpentTerm(moves=np.array([], dtype=np.intp), weight=np.array([], dtype=np.float64))
    problem.__dict__["limit_rows"] = [(law, replace(row, terms=(empty, *row.terms[1:])))]
    verified, findings = examine(problem, free)
    assert verified is None
    assert [(f.code, f.message.partition("`")[2]) for f in findings] == [
        ("FS631", "budget` counts the wrong purchases")
    ]


def test_reports_lead_with_the_share_and_show_each_material() -> None:
    """The screen and the page say the share in one line; the tables give cash by material and end use, and kilograms by material."""
    run = planned(case(ONE, demand("oxide", "defense", 5), concern=CHINA), FROM_CHINA).run
    line = "Share of countries of concern: defense 100%, civil 100%"
    for document in (plan_document(run).on_screen(), page_document(run), plan_document(run)):
        assert line in unwrapped(document, 200)
    for document in (page_document(run), plan_document(run), report_document(run)):
        titled = [part for part in document.parts if getattr(part, "title", "") == "Dependence on countries of concern"]
        tables = (part for part in flat(titled[0]) if isinstance(part, DataTable))
        cash, mass = ([[written(cell) for cell in row.cells] for row in table.rows] for table in tables)
        assert cash[0] == ["all", "300", "100%", "300", "–", "50"]
        assert ["defense use", "50", "100%", "50", "–", "–"] in cash
        assert ["oxide", "25 kg", "25 kg", "–"] in mass
    figures = [f for part in report_document(run).parts if isinstance(part, KeyFigures) for f in part.figures]
    assert [written(f.value) for f in figures if "concern" in f.name] == ["100%"]


def flat(part: Any) -> Iterator[Any]:
    """An element, and all that is in it."""
    yield part
    for inner in getattr(part, "parts", ()):
        yield from flat(inner)


def test_a_comparison_shows_what_a_change_does_to_the_share() -> None:
    """Without Chinese metal all 10 kg are Australian: the share falls from 100% to 0%."""
    compared = compare(planned(case(ONE, concern=CHINA), metals()).session, [], [Change(remove="cn-metal")])
    whole, metal = compared.dependence
    assert (whole.material, metal.material) == ("", "metal")
    assert (whole.paid_before, whole.concern_before, whole.share_before) == (100, 100, 1)
    assert (whole.paid_after, whole.concern_after, whole.share_after) == (500, 0, 0)
    for document in (comparison_document(compared).on_screen(), comparison_document(compared)):
        assert "A 100% (USD 100), B 0% (USD 0)" in unwrapped(document, 200)


def test_a_shortage_is_blamed_on_the_budget() -> None:
    """All metal is Chinese, or Japanese of Chinese oxide: a budget of 0 leaves 10 kg short, and without it none is."""
    none = rule(Budget, id="none", amount=0, countries=["CN"], per="horizon")
    (entry,) = planned(case(ONE), catalog(*MELTED_IN_JAPAN, source("CN", 10)), none).run.shortages
    assert entry.quantity_kg == 10
    assert [[(e.kind, e.names) for e in cause.restrictions] for cause in entry.causes] == [[("limit", ["none"])]]


def test_the_verifier_finds_what_a_free_class_may_not_hold() -> None:
    """A plan that puts Chinese oxide into the class that is free of it, and makes metal of it there, isn't let pass."""
    facts = catalog(*MELTED_IN_JAPAN, source("AU", 11, "oxide"))
    capped = planned(case(ONE), facts, rule(Budget, id="none", amount=0, countries=["CN"], per="horizon")).plan
    assert {p.offer for p in capped.plan.purchases} == {"au-oxide", "jp-melt"}
    forged = tuple(p.but(offer="cn-oxide") if p.offer == "au-oxide" else p for p in capped.plan.purchases)
    verified, findings = examine(capped.problem, capped.plan.but(purchases=forged))
    assert verified is None
    assert any(finding.code == "FS629" and "`none`" in finding.message for finding in findings)
