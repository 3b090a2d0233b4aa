"""Dependence on countries of concern: by seller, step, and input, with every purchase counted once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from friendshore.case import load_case
from friendshore.document.elements import DataTable, KeyFigures, Section
from friendshore.document.figures import written
from friendshore.domain.assumptions import Concern
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.countries import COVERED_NATIONS
from friendshore.domain.facts import Offer
from friendshore.domain.run import Run
from friendshore.questions.compare.document import comparison_document
from friendshore.questions.compare.screen import comparison_screen
from friendshore.questions.compare.search import compare
from friendshore.report.page import page_document
from friendshore.report.plan import plan_document
from friendshore.report.screen import screen_document
from friendshore.rules.dependence import Dependence, dependence_of
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.rows import Row
from friendshore.rules.terms import SpentTerm
from friendshore.verify import examine
from friendshore_pages.report import report_document

from ..building import (
    METAL,
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


def found(sold: Offer, country: str = "AU", countries: frozenset[str] = frozenset({"CN"})) -> Dependence:
    """The dependence of an offer of a plant in some country."""
    problem = built(case(ONE), catalog(facility("plant", country), sold))
    return dependence_of(problem.offers[0].chained[0], countries)


def of_chain(*steps: Any, country: str = "AU", **more: Any) -> Dependence:
    """The dependence of metal with a chain."""
    return found(offer("sold", "plant", "metal", 10, steps, **more), country)


ALL_AU = chain("AU", *METAL)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (ALL_AU, Dependence.NO),
        (chain("CN", *METAL), Dependence.IS),
        ((*chain("AU", "mined", "melted"), done("refined", "CN")), Dependence.IS),
        ((*chain("AU", "mined", "melted"), done("refined", "AU", "CN")), Dependence.MAY_BE),
        ((*chain("AU", "mined", "melted"), done("refined", "AU", complete=False)), Dependence.MAY_BE),
        ((*chain("AU", "mined", "melted"), done("refined", "CN", complete=False)), Dependence.MAY_BE),
        ((*chain("AU", "mined", "melted"), done("refined", complete=False)), Dependence.MAY_BE),
        (chain("AU", "mined", "melted"), Dependence.MAY_BE),
        ((*chain("AU", "mined", "melted"), done("leaching", "AU")), Dependence.MAY_BE),
        ((*chain("AU", "refined", "melted"), done("collection", "AU")), Dependence.MAY_BE),
        ((*chain("AU", "refined", "melted"), done("collection", "CN")), Dependence.IS),
        ((), Dependence.MAY_BE),
    ],
    ids=[
        "nothing in China", "all in China", "one step in China", "Australia or China", "Australia or elsewhere", "China or elsewhere",
        "unknown country", "a stage left out", "a part of a stage", "scrap collected in Australia", "scrap collected in China", "no chain",
    ],
)  # fmt: skip
def test_one_step_is_enough_and_an_unknown_one_may_be(steps: tuple[Any, ...], expected: Dependence) -> None:
    """Fail beats unproven beats pass, as for a ban: what nobody knows is never good news."""
    assert of_chain(*steps) is expected


def test_a_seller_in_a_country_of_concern_is_enough() -> None:
    """Australian metal of a Chinese plant pays a Chinese seller; a stated Chinese customs origin leaves doubt."""
    assert of_chain(*ALL_AU, country="CN") is Dependence.IS
    assert of_chain(*ALL_AU, customs_origin="CN") is Dependence.MAY_BE


def test_a_material_without_stages_came_out_of_a_mine_all_the_same() -> None:
    """A chain that doesn't name the mine leaves it open, whatever its material states."""
    bare = catalog().materials[2].but(stages=())
    problem = built(
        case(ONE),
        catalog(facility("plant", "AU"), offer("sold", "plant", "metal", 10, chain("AU", "melted"))).but(
            materials=(bare,)
        ),
    )
    assert dependence_of(problem.offers[0].chained[0], frozenset({"CN"})) is Dependence.MAY_BE


def concerned(given: Case, *more: Any, countries: Concern = CHINA) -> Case:
    """A case with countries of concern."""
    return given.but(concern=countries, **dict(more))


def rows(run: Run, scope: str) -> dict[str, tuple[float, float, float, float]]:
    """Cash, of it of concern, perhaps of concern, and of concern by inputs alone: by name."""
    found = (row for row in run.dependence if row.scope == scope)
    return {r.name: (float(r.cost), float(r.is_cost), float(r.may_be_cost), float(r.by_inputs_cost)) for r in found}


FROM_CHINA = (facility("cn", "CN"), facility("jp", "JP"), source("CN", 10, "oxide"), maker("JP", 5, 2))


def test_what_is_made_of_inputs_of_concern_is_of_concern_too() -> None:
    """10 kg of Japanese metal for a fee of 50 USD, made of 20 kg of Chinese oxide for 200 USD: 250 USD, each counted once."""
    run = planned(concerned(case(ONE)), catalog(*FROM_CHINA)).run
    assert rows(run, "plan") == {"": (250, 250, 0, 50)}
    assert rows(run, "material") == {"metal": (50, 50, 0, 50), "oxide": (200, 200, 0, 0)}
    assert rows(run, "end use") == {"civil": (250, 250, 0, 50)}
    (metal,) = (row for row in run.dependence if row.name == "metal")
    assert [metal.quantity_kg, metal.is_kg, metal.may_be_kg, metal.share] == [10, 10, 0, 1]
    because = {purchase.offer: purchase.concern_because for purchase in run.purchases}
    assert because["jp-melt"] == ["made of oxide"]
    assert because["cn-oxide"] == ["sold from CN", "mined in CN", "refined in CN"]


def test_of_mixed_inputs_nobody_knows_which_went_where() -> None:
    """20 kg of oxide, half of it Chinese: the metal may be of concern, and the Australian oxide is not."""
    half = rule(Pin, id="half", offer="cn-oxide", exactly=10)
    facts = catalog(*FROM_CHINA, source("AU", 20, "oxide"))
    run = planned(concerned(case(ONE)), facts, half).run
    assert rows(run, "plan") == {"": (350, 100, 50, 50)}
    assert rows(run, "end use") == {"civil": (350, 100, 50, 50)}


def test_stock_of_concern_makes_what_is_made_of_it_of_concern() -> None:
    """20 kg of Chinese oxide in stock at the Japanese plant cost nothing, and the fee of 50 USD pays for Chinese metal."""
    held = stock("oxide", 20, chain("CN", "mined", "refined"), place="JP")
    run = planned(concerned(case(ONE, stocks=(held,))), catalog(*FROM_CHINA)).run
    assert rows(run, "plan") == {"": (50, 50, 0, 50)}


def test_cash_is_traced_to_end_uses() -> None:
    """Metal for civil use is Chinese at 10, for defense Australian at 50: a ban keeps China out of one of the two."""
    given = case(demand("metal", "civil", 10), demand("metal", "defense", 4))
    barred = rule(Budget, id="none", amount=0, countries=["CN"], end_uses=["defense"])
    run = planned(concerned(given), metals(), barred).run
    assert rows(run, "end use") == {"civil": (100, 100, 0, 0), "defense": (200, 0, 0, 0)}


def test_the_case_sets_the_countries() -> None:
    """Australia instead of China; none at all; and the covered nations where it says nothing."""
    given = case(ONE)
    assert given.concern.countries == COVERED_NATIONS == {"CN", "HK", "IR", "KP", "MO", "RU"}
    assert rows(planned(given, metals()).run, "plan") == {"": (100, 100, 0, 0)}
    assert rows(planned(concerned(given, countries=Concern(countries=frozenset({"AU"}))), metals()).run, "plan") == {
        "": (100, 0, 0, 0)
    }
    none = planned(concerned(given, countries=Concern(countries=frozenset())), metals()).run
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
    file.write_text(CASE.format('["China", "RU"]'))
    assert load_case(file).concern.countries == {"CN", "RU"}
    file.write_text(CASE.format("[]"))
    assert load_case(file).concern.countries == COVERED_NATIONS  # an empty list says as little as none
    file.write_text(CASE.format('["China", "Chian"]'))
    (problem,) = refused(load_case, file)
    assert (problem.row, problem.column) == (9, "concern.countries")
    assert "Chian" in problem.found


def test_a_budget_may_be_about_purchases_of_concern() -> None:
    """10 kg: Chinese at 10 for 60 USD at most, the rest Australian at 50; with 0 all of it is Australian."""
    for amount, spent in ((60, 60 + 4 * 50), (0, 500), (1000, 100)):
        run = planned(case(ONE), metals(), rule(Budget, amount=amount, countries=["CN"], per="horizon")).run
        assert run.cost.nominal == spent
        (limit,) = run.limits
        assert limit.value == min(amount, 100)
        assert limit.unit == "USD"


def test_a_budget_counts_what_may_be_of_concern() -> None:
    """Metal whose refinery is unknown counts as Chinese."""
    unknown = offer("au-open", "au", "metal", 20, (*chain("AU", "mined", "melted"), done("refined", complete=False)))
    facts = catalog(unknown, source("AU", 50))
    run = planned(case(ONE), facts, rule(Budget, amount=40, countries=["CN"], per="horizon")).run
    assert {p.offer: p.quantity_kg for p in run.purchases} == {"au-open": Decimal(2), "au-metal": Decimal(8)}


def test_a_budget_may_be_about_suppliers_and_those_they_own() -> None:
    """A cap on Great Metals counts its subsidiary; other companies are not counted."""
    facts = metals(
        facility("sub", "CA", operator="Small Metals", parent="Great Metals Ltd"), source("CA", 5, plant="sub")
    )
    capped = rule(Budget, amount=15, suppliers=["Great Metals"], per="horizon")
    run = planned(case(ONE), facts, capped).run
    assert {p.offer: float(p.quantity_kg) for p in run.purchases} == {"ca-metal": 3, "cn-metal": 7}
    assert "from Great Metals" in capped.sentence()


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
    assert [f.message for f in findings] == ["rule `budget` counts other purchases than it is about"]


def test_reports_lead_with_the_share_and_show_each_material() -> None:
    """The screen and the page say the share in one line; the tables give cash by material and end use, and kilograms by material."""
    run = planned(concerned(case(ONE, demand("oxide", "defense", 5))), catalog(*FROM_CHINA)).run
    line = "100 % of purchases depend on countries of concern: USD 300 surely; defense 100 %, civil 100 %"
    for document in (screen_document(run), page_document(run), plan_document(run)):
        assert line in unwrapped(document, 200)
    for document in (page_document(run), plan_document(run), report_document(run)):
        section = next(
            part
            for part in document.parts
            if isinstance(part, Section) and part.title == "Dependence on countries of concern"
        )
        cash, mass = (part for part in flat(section) if isinstance(part, DataTable))
        cells = [[written(cell) for cell in row.cells] for row in cash.rows]
        assert cells[0] == ["all", "300", "100 %", "300", "–", "50"]
        assert ["defense use", "50", "100 %", "50", "–", "–"] in cells
        assert ["oxide", "25 kg", "25 kg", "–"] in [[written(cell) for cell in row.cells] for row in mass.rows]
    (figure,) = (
        f
        for part in report_document(run).parts
        if isinstance(part, KeyFigures)
        for f in part.figures
        if "concern" in f.name
    )
    assert written(figure.value) == "100 %"


def flat(part: Any) -> Iterator[Any]:
    """An element, and all that is in it."""
    yield part
    for inner in getattr(part, "parts", ()):
        yield from flat(inner)


def test_a_comparison_shows_what_a_change_does_to_the_share() -> None:
    """Without Chinese metal all 10 kg are Australian: the share falls from 100 % to 0 %."""
    found = planned(concerned(case(ONE)), metals())
    compared = compare(found.session, [], [Change(remove="cn-metal")])
    whole, metal = compared.dependence
    assert (whole.material, metal.material) == ("", "metal")
    assert [float(whole.paid_before), float(whole.concern_before), float(whole.share_before)] == [100, 100, 1]
    assert [float(whole.paid_after), float(whole.concern_after), float(whole.share_after)] == [500, 0, 0]
    for document in (comparison_screen(compared), comparison_document(compared)):
        assert "A 100 % of purchases (USD 100), B 0 % of purchases (USD 0)" in unwrapped(document, 200)


def test_a_shortage_is_blamed_on_the_budget() -> None:
    """All metal is Chinese, or Japanese of Chinese oxide: a budget of 0 leaves 10 kg short, and without it none is."""
    facts = catalog(*FROM_CHINA, source("CN", 10))
    none = rule(Budget, id="none", amount=0, countries=["CN"], per="horizon")
    (entry,) = planned(case(ONE), facts, none).run.shortages
    assert entry.quantity_kg == Decimal(10)
    assert [[(each.kind, each.names) for each in cause.restrictions] for cause in entry.causes] == [
        [("limit", ["none"])]
    ]


def test_the_verifier_finds_what_a_free_class_may_not_hold() -> None:
    """A plan that puts Chinese oxide into the class that is free of it, and makes metal of it there, isn't let pass."""
    facts = catalog(*FROM_CHINA, source("AU", 11, "oxide"))
    capped = planned(case(ONE), facts, rule(Budget, id="none", amount=0, countries=["CN"], per="horizon")).plan
    assert {p.offer for p in capped.plan.purchases} == {"au-oxide", "jp-melt"}
    bought = tuple(p.but(offer="cn-oxide") if p.offer == "au-oxide" else p for p in capped.plan.purchases)
    verified, findings = examine(capped.problem, capped.plan.but(purchases=bought))
    assert verified is None
    assert any("free of what rule `none` taints" in finding.message for finding in findings)
