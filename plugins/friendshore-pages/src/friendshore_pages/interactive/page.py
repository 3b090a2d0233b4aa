"""The question `interactive` and its page, with everything to plan again in the browser."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.countries import country_names
from friendshore.domain.time import today
from friendshore.errors import InputError
from friendshore.explain import judge_purchases, names_of
from friendshore.problem.changes import scenario_changes
from friendshore.report import not_advice
from friendshore.rules.verdicts import Dependence, dependence_of

from ..html import InteractivePart, html
from .levers import MIN_FACTOR, Effect, Floats, PageProgram, numbers, without_discount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from friendshore.domain.change import Change
    from friendshore.problem import Problem
    from friendshore.session import PartPlan, Session
    from friendshore.verify import VerifiedPlan

    from .levers import OfferedLevers


Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"
SOLVER = "HiGHS 1.15.3 as WebAssembly (npm package highs, MIT license)"
SECONDS = 20
MAX_SCENARIOS = 3
"""Maximum number of scenarios of the case among the examples."""


def page(result: Interactive, offered: OfferedLevers) -> str:
    """Return the page as text. Equal results give equal bytes."""
    data = json.dumps(_page_data(result, offered), separators=(",", ":"), allow_nan=False)
    worker = _package_file("highs/highs.js") + b"\n" + _package_file("worker.js")
    interactive = InteractivePart(
        title="Try changes",
        id="plan-again",
        fallback="If scripts are enabled, this part of the page plans the case again after changes to prices, capacities, demand, dates, suppliers, and rules.",
        style=_package_file("page.css").decode(),
        script=(_package_file("model.js") + _package_file("page.js")).decode(),
        data={
            "plan-again-data": _compressed(data.encode()),
            "plan-again-worker": _compressed(worker),
            "plan-again-solver": b64encode(_package_file("highs/highs.wasm.gz")).decode(),
        },
        solves=True,
    )
    document = summary(result)
    return html(doc.document(document.title, *document.parts, not_advice()), interactive)


def summary(result: Interactive) -> doc.Document:
    if result.offered is None:
        sentence = doc.sentence(f"No page: {result.refusal}.", tone=doc.Tone.DOUBTFUL)
        return doc.document(f"{result.session.problem.case.name}: no interactive page", sentence)
    problem, verified = result.session.problem, result.session.verified
    purchases = _Purchases(result.session)
    currency = problem.case.currency
    short = sorted(verified.plan.short_by_demand.items())
    rows: list[list[doc.Cell]] = [[name, doc.Kilograms(kilograms)] for name, kilograms in short]
    spend = large_money(verified.cost.nominal, currency)
    return doc.document(
        problem.case.title or problem.case.name,
        doc.section(
            ORIGINAL_PLAN,
            doc.KeyFigures(
                (
                    doc.KeyFigure("Needs short", f"{len(short)} of {len(problem.demands)}"),
                    doc.KeyFigure("Spend", spend, f"present value {large_money(verified.cost.total, currency)}"),
                    *purchases.concern_figure(),
                    doc.KeyFigure(
                        "Status",
                        verified.plan.status.value,
                        f"verified {today()}, friendshore {version('friendshore')}",
                    ),
                )
            ),
            doc.section("Purchases in the original plan", purchases.table()),
            doc.section("Shortages in the original plan", doc.table([doc.Column("Need"), doc.figures("Short")], rows))
            if rows
            else None,
        ),
        doc.section("Possible changes", doc.notes(_notes(result.offered))),
        doc.section("How answers are computed", doc.notes(_solving_notes(result.offered))),
    )


ORIGINAL_PLAN = "Original plan"
_CASH, _MAY_BE, _IS = 3, 4, 5
"""Positions of money among the sums of a purchase. Kilograms are three positions before."""
_RANKS = {Dependence.NO: 0, Dependence.MAY_BE: 1, Dependence.IS: 2}


class _Purchases:
    """Purchases of the original plan by material and offer or lot, with names for readers."""

    def __init__(self, session: Session) -> None:
        self.problem, self.countries = session.problem, session.problem.case.concern.countries
        self.names = names_of(session.problem, [facts.offer.id for facts in session.problem.offers])
        self.sums = self.of(session.verified)

    def of(self, verified: VerifiedPlan) -> dict[tuple[str, str], list[float]]:
        """Return material and offer or lot -> kilograms and money, each in all and with the parts that may be and are of concern."""
        sums: dict[tuple[str, str], list[float]] = {}
        for line, dependence in zip(verified.lines, judge_purchases(verified, self.countries), strict=True):
            key = (line.material, line.arc.chained.offer.id)
            rank = _RANKS[dependence.whole] if self.countries else 0
            own_sums = sums.setdefault(key, [0.0] * 6)
            for i, amount in enumerate((float(line.quantity), float(line.total))):
                own_sums[3 * i] += amount
                own_sums[3 * i + rank] += amount if rank else 0.0
        for lot in verified.plan.lots:
            sums.setdefault((lot.material, lot.lot), [0.0] * 6)[0] += float(lot.quantity)
        return sums

    def concern_figure(self) -> Iterator[doc.KeyFigure]:
        cash, may_be, is_cash = (sum(sums[i] for sums in self.sums.values()) for i in (_CASH, _MAY_BE, _IS))
        if self.countries and cash:
            shares = [Decimal(repr(amount / cash)) for amount in (is_cash, is_cash + may_be)]
            aside = f"up to {percent(shares[1])} if unknown origins are too"
            yield doc.KeyFigure("From countries of concern", doc.Share(shares[0]), aside)

    def table(self) -> doc.DataTable:
        columns = [doc.Column("Material"), doc.Column("Supplier"), doc.Column("Country"), doc.figures("Quantity")]
        columns.append(doc.figures("Spend, not discounted", self.problem.case.currency))
        rows = sorted(self.sums.items(), key=lambda item: (-item[1][_CASH], item[0]))
        return doc.table(columns, [self._row(key, sums) for key, sums in rows])

    def _row(self, key: tuple[str, str], sums: Sequence[float]) -> list[doc.Cell]:
        kilograms, cash = (Decimal(repr(sums[i])) for i in (0, _CASH))
        return [*self.shown(*key), doc.Kilograms(kilograms, of=self.names.basis(key[0])), doc.Amount(cash)]

    def shown(self, material: str, offer: str) -> tuple[str, str, str]:
        """Return the names of the material, supplier or lot, and country."""
        facts = self.problem.merged.offers.get(offer)
        country = "" if facts is None else self.problem.merged.facilities[facts.facility].country
        return self.names.material(material), self.names.offer(offer), country_names().get(country, country)


KIND_TEXTS = {
    "price": ("price", "prices"),
    "capacity": ("capacity", "capacities"),
    "demand": ("demand", "demands"),
    "delay": ("later start of a capacity", "later starts of capacities"),
    "later": ("later demand", "later demands"),
    "remove": (
        "loss of an offer, company, country, or catalog",
        "losses of offers, companies, countries, and catalogs",
    ),
    "disable": ("rule off", "rules off"),
    "enable": ("rule or bill on", "rules and bills on"),
    "move": ("later start of a rule", "later starts of rules"),
}


def _notes(offered: OfferedLevers) -> Iterator[str]:
    levers_by_kind = Counter(lever.kind for lever in offered.levers)
    yield ", ".join(count(levers_by_kind[kind], *texts) for kind, texts in KIND_TEXTS.items() if levers_by_kind[kind])
    variants = len(offered.programs) - len(offered.plans)
    if variants:
        yield (
            f"{count(len(offered.programs_by_lever), 'change affects', 'changes affect')} what can be bought at all and {'has' if len(offered.programs_by_lever) == 1 else 'have'} "
            f"{count(variants, 'separate program')}. You can combine each with prices, capacities, demand, and losses, but not with other rules and dates of the same materials."
        )
    conflicts = sum(len(program.conflicts) for program in offered.programs)
    if conflicts:
        yield f"{count(conflicts, 'pair')} of changes can't be combined, because their effects don't add up (such as a price and a duty on it)."
    for reason in dict.fromkeys(reason for _, reason in offered.left_out):
        names = [change for change, own_reason in offered.left_out if own_reason == reason]
        yield f"Not offered because {reason}: {', '.join(names)}."


def _solving_notes(offered: OfferedLevers) -> Iterator[str]:
    yield (
        "Each answer is the optimum of the program that friendshore plan solves after the same change, within the solver's tolerance. It is neither verified nor rounded to whole grams. "
        "Before you rely on it, run the command below it."
    )
    if any(program.layout.linear.integer.any() for program in offered.programs):
        yield (
            f"Parts with integer decisions (onboarding, minimum orders, lots) are searched for at most {SECONDS} s. The page shows how far an answer may be from the best one."
        )
    yield "friendshore tested the effect of each change on the program when it made the page. It offers only changes with a proportional effect."
    yield f"Solver: {SOLVER}. The page sends and loads nothing."


def _page_data(result: Interactive, offered: OfferedLevers) -> Json:
    session = result.session
    problem, case, purchases = session.problem, session.problem.case, _Purchases(session)
    offers = sorted({name for lever in offered.levers for name in lever.offers})
    offer_numbers = {name: number for number, name in enumerate(offers)}
    purchase_numbers: dict[tuple[str, str], int] = {}
    programs = [
        _program_data(item, offer_numbers, purchase_numbers, case.concern.countries) for item in offered.programs
    ]
    plans = [_plan_data(item, purchases, purchase_numbers) for item in offered.plans]
    names = purchases.names
    materials = dict.fromkeys(
        [*(demand.use.material.id for demand in problem.demands), *(m for m, _ in purchase_numbers)]
    )
    return {
        "case": result.case,
        "currency": case.currency,
        "gap": session.limits.gap,
        "seconds": SECONDS,
        "minFactor": float(MIN_FACTOR),
        "resolution": float(case.resolution),
        "periods": [[period.label, str(period.start)] for period in case.horizon.periods],
        "status": session.verified.plan.status.value,
        "countriesOfConcern": [country_names().get(code, code) for code in sorted(case.concern.countries)],
        "materials": {name: [names.material(name), names.basis(name)] for name in materials},
        "demands": {demand.id: [demand.use.material.id, demand.use.end_use] for demand in problem.demands},
        "purchases": [[material, *purchases.shown(material, offer)[1:]] for material, offer in purchase_numbers],
        "parts": plans,
        "programs": programs,
        "levers": [
            {
                "kind": lever.kind,
                "name": lever.name,
                "group": lever.group,
                "label": lever.label,
                "choice": lever.choice,
                "optionText": lever.option_text,
                "hasFactor": lever.has_factor,
                "affectedParts": offered.affected_parts[number],
                "newPrograms": offered.programs_by_lever.get(number, ()),
                "offers": [offer_numbers[name] for name in lever.offers],
            }
            for number, lever in enumerate(offered.levers)
        ],
        "examples": [[label, title, changes] for label, title, changes in _examples(result, offered, purchases)],
    }


def _examples(
    result: Interactive, offered: OfferedLevers, purchases: _Purchases
) -> Iterator[tuple[str, str, Sequence[tuple[int, float]]]]:
    """Yield examples that the page can plan: label, description, and changes as lever and factor."""
    problem, facilities = result.session.problem, result.session.problem.merged.facilities
    numbers_by_kind: dict[str, dict[str, int]] = {}
    for number, lever in enumerate(offered.levers):
        numbers_by_kind.setdefault(lever.kind, {}).setdefault(lever.name, number)
    cash_by_country: Counter[str] = Counter()
    cash_by_material: Counter[str] = Counter()
    for (material, offer), sums in purchases.sums.items():
        cash_by_material[material] += round(sums[_CASH])
        if (facts := problem.merged.offers.get(offer)) is not None:
            cash_by_country[facilities[facts.facility].country] += round(sums[_CASH])
    countries = [code for code, _ in cash_by_country.most_common()]
    for code in sorted(countries, key=lambda code: code not in purchases.countries):
        if (loss := numbers_by_kind.get("remove", {}).get(f"country:{code}")) is not None:
            yield f"Lose {country_names().get(code, code)}", "", [(loss, 1.0)]
            break
    demands = numbers_by_kind.get("demand", {})
    for material, _ in cash_by_material.most_common():
        own = [(demands[d.id], 2.0) for d in problem.demands if d.use.material.id == material and d.id in demands]
        if own:
            yield f"{purchases.names.material(material)}: demand × 2", "", own
            break
    yield from islice(_scenario_examples(result.session, offered), MAX_SCENARIOS)
    if len(demands) > 1:
        every = "All demand" if len(demands) == len(problem.demands) else f"Demand of {len(demands)} needs"
        yield f"{every} + 20%", "", [(number, 1.2) for number in demands.values()]


def _scenario_examples(
    session: Session, offered: OfferedLevers
) -> Iterator[tuple[str, str, Sequence[tuple[int, float]]]]:
    """Yield the scenarios of the case whose changes are all levers, or have no effect."""
    case = session.inputs.case
    for scenario in case.scenarios:
        levers = [_levers_of(change, session, offered) for change in scenario_changes(case, [scenario.name])]
        changes = [change for own in levers if own for change in own]
        if changes and None not in levers:
            label = scenario.name.replace("-", " ")
            yield label[:1].upper() + label[1:], scenario.title, changes


def _levers_of(change: Change, session: Session, offered: OfferedLevers) -> list[tuple[int, float]] | None:
    """Return the lever that makes a change, or nothing if the change has no effect. None if the page doesn't offer it."""
    for number, lever in enumerate(offered.levers):
        factor = change.factor if lever.has_factor and change.factor is not None else Decimal(1)
        if lever.change_at(factor).but(why="") == change.but(why=""):
            return [(number, float(factor))]
    try:
        return None if session.parts_after(change) else []
    except InputError:
        return None


def _plan_data(part: PartPlan, purchases: _Purchases, purchase_numbers: dict[tuple[str, str], int]) -> Json:
    verified = part.verified
    sums = purchases.of(verified)
    return {
        "objective": float(verified.cost.objective),
        "spend": float(verified.cost.nominal),
        "bought": [[purchase_numbers.setdefault(key, len(purchase_numbers)), *sums[key]] for key in sorted(sums)],
        "short": {name: float(kilograms) for name, kilograms in sorted(verified.plan.short_by_demand.items())},
    }


def _program_data(
    program: PageProgram,
    offers: Mapping[str, int],
    purchase_numbers: dict[tuple[str, str], int],
    countries: frozenset[str],
) -> Json:
    linear = program.layout.linear
    undiscounted = without_discount(program.part).layout_within(program.layout)
    base, base_cash = numbers(program.layout), undiscounted.linear.cost
    penalties = [i for i, column in enumerate(program.layout.columns) if column.kind in ("short", "missed")]
    return {
        "covers": program.covers,
        "maxFactor": float(program.max_factor),
        "constant": linear.constant,
        "spendConstant": undiscounted.linear.constant,
        "cost": linear.cost.tolist(),
        "cash": base_cash.tolist(),
        "penalties": penalties,
        "lower": _finite_or_none(linear.lower),
        "upper": _finite_or_none(linear.upper),
        "rowLower": _finite_or_none(linear.row_lower),
        "rowUpper": _finite_or_none(linear.row_upper),
        "starts": linear.entries.indptr.tolist(),
        "indices": linear.entries.indices.tolist(),
        "values": linear.entries.data.tolist(),
        "integer": np.flatnonzero(linear.integer).tolist(),
        **_column_data(program, offers, purchase_numbers, countries),
        "effects": {str(number): _effect_data(effect, base, base_cash) for number, effect in program.effects.items()},
        "conflicts": program.conflicts,
        "exclusive": program.is_exclusive,
    }


def _column_data(
    program: PageProgram,
    offers: Mapping[str, int],
    purchase_numbers: dict[tuple[str, str], int],
    countries: frozenset[str],
) -> dict[str, Json]:
    """Return the columns of purchases, production, shortages, and losses. Losses close columns by the period of the order.

    Pools and makers are those of `friendshore.explain.dependence`. The page judges its own purchases in the same way.
    """
    problem = program.part.inputs.problem()
    own_dependence = {
        (arc.name, arc.node[0]): _RANKS[dependence_of(arc.chained, countries)] if countries else 0
        for arc in problem.network.arcs
    }
    pools: dict[Json, int] = {}
    makers: dict[tuple[str, int], int] = {}
    units: dict[Json, int] = {}
    several = {facts.offer.id for facts in problem.offers if not facts.has_one_output}
    columns = list(enumerate(program.layout.columns))
    bought: list[Json] = []
    made: list[Json] = []
    lent: list[Json] = []
    for i, c in columns:
        maker = (
            makers.setdefault((c.name, c.compliance_class), len(makers)) if c.kind in ("bought", "made", "lent") else -1
        )
        unit = units.setdefault((c.name, c.ordered), len(units)) if c.kind == "made" or c.name in several else -1
        if c.kind in ("bought", "set aside"):
            purchase = purchase_numbers.setdefault((c.material, c.name), len(purchase_numbers))
            pool = pools.setdefault((c.material, c.place, c.compliance_class), len(pools))
            bought.append([i, purchase, own_dependence[c.name, c.material], pool, maker, unit])
        elif c.kind == "made":
            made.append([i, maker, unit])
        elif c.kind == "lent":
            lent.append([i, maker, makers.setdefault((c.name, c.other_class), len(makers))])
    short = [(i, c) for i, c in columns if c.kind == "short"]
    demands = list(dict.fromkeys(c.name for _, c in short))
    return {
        "bought": bought,
        "made": made,
        "lent": lent,
        "makers": _input_pools(problem, makers, pools),
        "short": [[i, demands.index(c.name)] for i, c in short],
        "demands": demands,
        "lost": [
            [i, offers[c.name], c.ordered] for i, c in columns if c.kind in ("bought", "made") and c.name in offers
        ],
    }


def _input_pools(problem: Problem, makers: Iterable[tuple[str, int]], pools: Mapping[Json, int]) -> list[list[int]]:
    """Return the pools from which each maker takes its inputs. A maker is an offer and a compliance class."""
    facts_by_offer = {facts.offer.id: facts for facts in problem.offers}
    inputs = (
        [(line.material, facts_by_offer[name].place, compliance_class) for line in facts_by_offer[name].offer.inputs]
        for name, compliance_class in makers
    )
    return [[pools[pool] for pool in own if pool in pools] for own in inputs]


def _finite_or_none(values: Floats) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _effect_data(effect: Effect, base: Floats, base_cash: Floats) -> Json:
    """Return positions, each as a difference from the previous one, slopes, step, and slopes of cash, which belong to the first positions."""
    cash_positions = effect.positions[: len(effect.cash_slopes)]
    return [
        np.diff(effect.positions, prepend=0).tolist(),
        _slope_data(effect.slopes, base[effect.positions]),
        effect.step,
        _slope_data(effect.cash_slopes, base_cash[cash_positions]),
    ]


def _slope_data(slopes: Floats, base: Floats) -> Json:
    """Return slopes with 14 digits. None stands for a slope that equals the number itself."""
    equals_number = np.abs(slopes - base) <= 1e-13 * np.abs(slopes)
    return [
        None if is_equal else float(f"{slope:.14g}")
        for slope, is_equal in zip(slopes.tolist(), equals_number, strict=True)
    ]


def _package_file(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _compressed(data: bytes) -> str:
    return b64encode(gzip.compress(data, 9, mtime=0)).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Interactive:
    """All data of a page."""

    session: Session
    case: str
    """The case and its changes, as arguments of a command line."""
    offered: OfferedLevers | None
    """None if there is no page."""
    refusal: str = ""

    def to_dict(self) -> dict[str, object]:
        offered = self.offered
        return {
            "case": self.session.problem.case.name,
            "refusal": self.refusal,
            "levers": [
                {"kind": lever.kind, "name": lever.name, "choice": lever.choice, "change": lever.option_text}
                for lever in (offered.levers if offered else ())
            ],
            "programs": len(offered.programs) if offered else 0,
            "not_together": sum(len(program.conflicts) for program in offered.programs) if offered else 0,
            "left_out": [{"what": change, "why": reason} for change, reason in (offered.left_out if offered else ())],
        }
