"""Random small cases against an extensive form that is written down here, by kilograms and their ways, with another interface to a solver."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import product
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix
from tests.property.settings import at_depth

from friendshore_risk.events import Event
from friendshore_risk.twostage import RiskMeasure

from . import small
from .small import START, Seller

USES = ("civil", "defense")


class Drawn(NamedTuple):
    """A case and its events, in plain numbers, from the period on from which events are known."""

    sellers: list[Seller]
    wanted: dict[str, list[int]]
    short: dict[str, int]
    holding: int
    day: int
    events: list[dict[str, Any]]
    measure: RiskMeasure
    places: dict[str, str]
    apart: bool = False
    """True if a limit that never binds counts by end use, which separates the uses."""


def drawn(number: int) -> Drawn:
    """A case that follows from its number."""
    lot = Random(number)
    count = lot.choice([3, 4])
    sellers = [
        Seller(country, lot.randint(5, 60), lot.choice([None, lot.randint(2, 15)]), lot.choice([0, 0, 1]),
               lot.choice([0, 0, lot.randint(20, 200)]))
        for country in lot.sample(["CN", "AU", "JP"], lot.choice([2, 3]))
    ]  # fmt: skip
    wanted = {use: [lot.randint(0, 9) for _ in range(count)] for use in USES}
    day = lot.randint(1, count - 1)
    countries = [seller.country for seller in sellers]
    kinds = lot.sample(["lose", "lose-year", "share", "price", "demand", "ban", "ban"], lot.choice([1, 2, 2, 3]))
    events: list[dict[str, Any]] = []
    for place, kind in enumerate(dict.fromkeys(kinds)):
        event: dict[str, Any] = {"name": f"e{place}", "kind": kind, "probability": lot.randint(1, 9) / 10}
        if place and lot.random() < 0.4:
            event |= {"given": "e0", "otherwise": lot.randint(0, 9) / 10}
        event["begins"] = lot.choice([day, day, min(day + 1, count - 1)])
        if kind in ("lose", "lose-year", "share"):
            event["country"] = lot.choice(countries)
        if kind == "share":
            event["share"] = lot.choice([0.25, 0.5])
        if kind in ("price", "demand"):
            event["factor"] = lot.choice([0.25, 0.5, 2, 3])
            event["of"] = lot.choice(list(USES)) if kind == "demand" else lot.choice(countries)
        events.append(event)
    weight = lot.choice([0.0, 0.0, 0.5, 1.0])
    short = {"civil": lot.randint(50, 300), "defense": lot.randint(100, 800)}
    holding, measure = lot.randint(0, 8), RiskMeasure(weight, lot.choice([0.5, 0.8]))
    places = dict.fromkeys(USES, "US")
    found = Drawn(sellers, wanted, short, holding, day, events, measure, places, apart=number % 3 == 1)
    if number % 3 == 0:
        _with_routes(found, Random(f"routes of {number}"))
    unlimited = {seller.country for seller in sellers if seller.capacity is None}
    return drawn(number + 100_000) if any(e["kind"] == "share" and e["country"] in unlimited for e in events) else found


def _with_routes(case: Drawn, lot: Random) -> None:
    """Lets one use be in Korea, as may be, and a route to one of them be lost."""
    case.places["defense"] = lot.choice(["US", "KR", "KR"])
    event: dict[str, Any] = {"name": "route", "kind": "route", "probability": lot.randint(1, 9) / 10}
    event["begins"] = lot.choice([case.day, min(case.day + 1, len(case.wanted["civil"]) - 1)])
    event["from"] = lot.choice([seller.country for seller in case.sellers])
    event["to"] = lot.choice(["", *case.places.values()])
    event["years"] = lot.choice([None, 1])
    case.events.append(event)


def stated(case: Drawn) -> list[Event]:
    """Its events as a case states them."""
    found = []
    for event in case.events:
        given = {key: event[key] for key in ("name", "probability", "given", "otherwise") if key in event}
        given["from"] = date(START + event["begins"], 1, 1)
        match event["kind"]:
            case "lose":
                given["lose"] = f"country:{event['country']}"
            case "lose-year":
                given |= {"lose": f"country:{event['country']}", "lasts": 12}
            case "share":
                given |= {"lose": event["country"].lower(), "share": event["share"]}
            case "price":
                given |= {"price": f"{event['of'].lower()}-metal", "factor": event["factor"]}
            case "demand":
                given |= {"demand": event["of"], "factor": event["factor"]}
            case "route":
                given |= {"lose": f"route:{event['from']}>{event['to']}"}
                given |= {} if event["years"] is None else {"lasts": 12 * event["years"]}
            case "ban":
                given["change"] = [{"enable": "ban"}]
        found.append(Event.model_validate(given))
    return found


@dataclass
class Program:
    """A mixed-integer program as it grows."""

    cost: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    integer: list[int] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    constant: float = 0.0

    def column(self, upper: float = np.inf, *, lower: float = 0.0, integer: bool = False) -> int:
        """A new column."""
        self.cost.append(0.0)
        self.upper.append(upper)
        self.lower.append(lower)
        self.integer.append(int(integer))
        return len(self.cost) - 1

    def weighed(self, branches: list[tuple[float, dict[int, float], float]], measure: RiskMeasure) -> None:
        """Adds the measure of the money of branches, each with its chance and what it costs anyway, to the costs."""
        eta = self.column(1e7, lower=-1e7)
        self.cost[eta] = measure.weight
        for chance, money, fixed in branches:
            for column, value in money.items():
                self.cost[column] += (1 - measure.weight) * chance * value
            self.constant += (1 - measure.weight) * chance * fixed
            if measure.weight:
                beyond = self.column()
                self.cost[beyond] = measure.weight * chance / (1 - measure.alpha)
                row = {**{column: -value for column, value in money.items()}, eta: 1.0, beyond: 1.0}
                self.rows.append((row, fixed, np.inf))

    def solved(self) -> float:
        """Its least cost; infinite: there is no plan."""
        entries = [(r, c, v) for r, (row, _, _) in enumerate(self.rows) for c, v in row.items()]
        r, c, v = zip(*entries, strict=True)
        matrix = csr_matrix((v, (r, c)), shape=(len(self.rows), len(self.cost)))
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.integer),
            bounds=Bounds(np.array(self.lower), np.array(self.upper)),
            constraints=LinearConstraint(matrix, [low for _, low, _ in self.rows], [high for _, _, high in self.rows]),
            options={"mip_rel_gap": 1e-9},
        )
        assert found.success or found.status == 2, found.message
        return float(found.fun) + self.constant if found.success else np.inf


def add(row: dict[int, float], column: int, value: float) -> None:
    """Adds to a coefficient."""
    row[column] = row.get(column, 0.0) + value


def least(case: Drawn) -> float:
    """The least of the measure, from an extensive form by ways: of kilograms ordered of someone in a year, for a use in a year."""
    return ByWays(case).least()


Way = tuple[str, int]
"""A use and a year."""


class ByWays:
    """Kilograms ordered of someone in a year, for a use in a year, in a scenario; what is decided before the day is one column for all scenarios."""

    def __init__(self, case: Drawn) -> None:
        self.case, self.program = case, Program()
        self.count = len(case.wanted["civil"])
        self.scenarios = list(_scenarios(case))
        self.opened = {s.country: self.program.column(1, integer=True) for s in case.sellers if s.onboarding}
        self.ends: list[Way] = [(use, t) for use in USES for t in range(self.count) if case.wanted[use][t]]
        self.law = [
            {(use, t): use == "defense" and self._banned(came, t) for use, t in self.ends} for came, _ in self.scenarios
        ]
        """Of each scenario, what Chinese metal may not serve."""
        self.groups: dict[tuple[str, tuple[bool, ...]], list[Way]] = {}
        """Place and scenarios that distinguish it -> ways."""
        for end in self.ends:
            self.groups.setdefault((case.places[end[0]], tuple(of[end] for of in self.law)), []).append(end)
        self.before: dict[tuple[object, ...], int] = {}
        """Delivered before the day, or set aside for a group: columns that are the same in all scenarios."""

    def _banned(self, came: set[str], t: int) -> bool:
        if all(seller.country != "CN" for seller in self.case.sellers):
            return False  # it tells nothing apart that could be bought
        return any(e["kind"] == "ban" and e["name"] in came and t >= e["begins"] for e in self.case.events)

    def least(self) -> float:
        """The least of the measure."""
        branches = [(chance, self._scenario(number), 0.0) for number, (_, chance) in enumerate(self.scenarios)]
        self.program.weighed(branches, self.case.measure)
        return self.program.solved()

    def _scenario(self, number: int) -> dict[int, float]:
        """Adds a scenario; its money."""
        came, case = self.scenarios[number][0], self.case
        money: dict[int, float] = {self.opened[s.country]: float(s.onboarding) for s in case.sellers if s.onboarding}
        served: dict[Way, dict[int, float]] = {end: {} for end in self.ends}
        for seller, t in product(case.sellers, range(self.count)):
            if t + seller.lead < self.count:
                price, most = _terms(case, came, seller, t)
                load: dict[int, float] = {}
                for column, end in self._ways(number, seller, t):
                    until = self.count if end is None else end[1]
                    add(money, column, price + case.holding * (until - t - seller.lead))
                    add(load, column, 1.0)
                    if end is not None:
                        add(served[end], column, 1.0)
                self._limit(seller, load, most)
        for use, t in self.ends:
            missing = self.program.column()
            add(money, missing, case.short[use])
            wanted = case.wanted[use][t] * _demand_factor(case, came, use, t)
            self.program.rows.append(({**served[use, t], missing: 1.0}, wanted, wanted))
        return money

    def _limit(self, seller: Seller, load: dict[int, float], most: float) -> None:
        if load and np.isfinite(most):
            self.program.rows.append((load, -np.inf, most))
        if seller.onboarding:
            self.program.rows.append(({**load, self.opened[seller.country]: -1000.0}, -np.inf, 0.0))

    def _ways(self, number: int, seller: Seller, t: int) -> list[tuple[int, Way | None]]:
        """Columns of what is ordered of someone in a year, with what each serves; None: it is left at the end."""
        arrives, day, chinese = t + seller.lead, self.case.day, seller.country == "CN"
        if t >= day:
            lawful = [end for end in self.ends if end[1] >= arrives and not (chinese and self.law[number][end])]
            return [(self.program.column(), end) for end in lawful if not self._closed(number, seller, end, t)]
        found: list[tuple[int, Way | None]] = []
        there: dict[tuple[str, bool], list[int]] = {}
        for (place, key), members in self.groups.items():
            # It may not be bought for uses that it is barred from where nothing happens, nor if it is there before the day, in any scenario.
            if chinese and (key[0] or (arrives < day and any(key))):
                continue
            now = [end for end in members if arrives <= end[1] < day]
            found += [(self._shared(seller.country, t, end), end) for end in now]
            there.setdefault((place, key[number]), []).append(self._shared(seller.country, t, place, key))
        # From the day on, what is set aside for groups that the law of the scenario does not tell apart serves all of them.
        for (place, barred), columns in there.items():
            if barred and chinese:
                continue  # not delivered, and not paid for
            alike = [e for e in self.ends if self.law[number][e] is barred and self.case.places[e[0]] == place]
            later = [end for end in alike if end[1] >= max(arrives, day)]
            uses: list[tuple[int, Way | None]] = [(self.program.column(), end) for end in later]
            uses.append((self.program.column(), None))
            row = {column: 1.0 for column, _ in uses} | dict.fromkeys(columns, -1.0)
            self.program.rows.append((row, 0.0, 0.0))
            found += uses
        return found

    def _closed(self, number: int, seller: Seller, end: Way, t: int) -> bool:
        return any(
            event["kind"] == "route"
            and event["name"] in self.scenarios[number][0]
            and event["from"] == seller.country
            and event["to"] in ("", self.case.places[end[0]])
            and event["begins"] <= t
            and (event["years"] is None or t < event["begins"] + event["years"])
            for event in self.case.events
        )

    def _shared(self, *about: object) -> int:
        if about not in self.before:
            self.before[about] = self.program.column()
        return self.before[about]


def _scenarios(case: Drawn) -> list[tuple[set[str], float]]:
    """Names of the events that come, with the probability of each combination; that of none comes first."""
    found = []
    for comes in product((False, True), repeat=len(case.events)):
        came, chance = {e["name"] for e, does in zip(case.events, comes, strict=True) if does}, 1.0
        for event, does in zip(case.events, comes, strict=True):
            own = event["probability" if "given" not in event or event["given"] in came else "otherwise"]
            chance *= own if does else 1 - own
        if chance > 0 or not came:
            found.append((came, chance))
    return found


def _terms(case: Drawn, came: set[str], seller: Seller, t: int) -> tuple[float, float]:
    """Price and capacity of a year in a scenario."""
    price, most = float(seller.price), np.inf if seller.capacity is None else float(seller.capacity)
    for event in (e for e in case.events if e["name"] in came and t >= e["begins"]):
        kind = event["kind"]
        if kind == "price" and event["of"] == seller.country:
            price *= event["factor"]
        if event.get("country") == seller.country:
            if kind == "share":
                most *= 1 - event["share"]
            elif kind == "lose" or t == event["begins"]:
                most = 0.0
    return price, most


def _demand_factor(case: Drawn, came: set[str], use: str, t: int) -> float:
    events = (e for e in case.events if e["kind"] == "demand" and e["name"] in came)
    return float(np.prod([e["factor"] for e in events if e["of"] == use and t >= e["begins"]]))


@pytest.fixture(params=["as one program", "decomposed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How programs are solved, whatever their size."""
    if request.param == "decomposed":
        monkeypatch.setattr("friendshore_risk.twostage.solving.LARGE", 0)
    return str(request.param)


def agrees(case: Drawn) -> None:
    """Asserts that a case comes to the same, and that its plans are verified."""
    rules = (small.APART,) if case.apart else ()
    session = small.opened(case.sellers, case.wanted, case.short, case.holding, case.places, rules)
    if case.apart:
        case.places["defense"] = "another place"  # which says the same to the other hand
    search = small.searching(session, stated(case), date(START + case.day, 1, 1))
    answer = search.best(case.measure)
    assert answer.objective + float(search.unaffected_cost) == pytest.approx(least(case), rel=1e-6, abs=1e-4), case
    assert answer.bound <= answer.objective + 1e-6 * abs(answer.objective)
    carried = search.verified_stages(answer)
    for costs, branch in zip(answer.costs, search.program.branches, strict=True):
        verified = sum(float(carried[n].objective) for n in branch.stages)
        assert verified == pytest.approx(float(costs), rel=1e-6, abs=2.0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", range(4))
def test_a_random_case_comes_to_what_an_extensive_form_of_another_hand_says(number: int) -> None:
    """Expected cost, CVaR and mixes of both, with losses, prices, demands, shares of capacity and a ban that may come."""
    agrees(drawn(number))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_what_is_ordered_before_it_is_known_how_much_is_wanted_may_be_for_the_most(weight: float) -> None:
    """Only what is ordered in the first year arrives in the third, when five or fifteen are wanted: fifteen are ordered, whoever opens for it."""
    doubles = {"name": "e0", "kind": "demand", "probability": 0.5, "begins": 1, "factor": 3, "of": "civil"}
    seller = Seller("AU", 10, 20, 2, 30)
    wanted, short = {"civil": [0, 0, 5], "defense": [0, 0, 0]}, dict.fromkeys(USES, 300)
    case = Drawn([seller], wanted, short, 0, 1, [doubles], RiskMeasure(weight, 0.6), dict.fromkeys(USES, "US"))
    assert least(case) == pytest.approx(180)
    agrees(case)


@pytest.mark.deep
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("part", range(6))
def test_many_random_cases(part: int) -> None:
    """The same of many more, three hundred at full depth."""
    first = 100 + 50 * part
    for number in range(first, first + at_depth(50)):
        agrees(drawn(number))
