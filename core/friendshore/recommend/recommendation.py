"""What `plan` returns: the run, the verified plan behind it, and everything needed to check it again elsewhere (see `recheck`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from ..domain.facts import Catalog, Offer
from ..domain.plan import Cost, PlanStatus
from ..domain.run import Run
from ..errors import PluginError
from ..plugins import Registry
from ..problem import Problem
from ..problem.parts import up_the_chain
from ..problem.subjects import covers
from ..rules.base import Rule
from ..rules.kinds import Pin
from ..session import Session
from ..verify import VerifiedPlan
from .gather import Gathered

if TYPE_CHECKING:
    import pandas

TABLES = ("purchases", "discounts", "makes", "lots", "holdings", "draws", "stocks", "deliveries", "shortages", "by_months", "rounded", "demands", "exposed", "rules",
          "unproven", "blocked", "leads", "limits", "levels", "assumptions")  # fmt: skip
"""Tables of a run that can be had as data frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """A verified plan with its explanation."""

    run: Run
    """Everything in words and numbers, as records."""
    plan: VerifiedPlan
    """The proof behind it."""
    gathered: Gathered
    session: Session
    """The solved case behind it: `recommendation.session.after(Change(...))` says what a change costs."""

    def __repr__(self) -> str:
        return f"<Recommendation {self.run.case}: {self._told}>"

    def _repr_html_(self) -> str:
        return _mix_html(self.run, self._told)

    def __reduce__(self) -> tuple[Callable[[Run, Gathered, Session], Recommendation], tuple[Run, Gathered, Session]]:
        return _read_back, (self.run, self.gathered, self.session)

    @property
    def _told(self) -> str:
        """Status and cost in a line."""
        spent = f"{self.cost.total:,.0f} {self.run.currency}"
        return f"{self.status.value}, verified, gap {self.run.gap:.2%}, spends {spent}, {len(self.run.purchases):,} purchases"

    @property
    def status(self) -> PlanStatus:
        """How the plan came about."""
        return self.run.status

    @property
    def verified(self) -> bool:
        """Always true: there is no recommendation without a verified plan."""
        return self.run.verified

    @property
    def cost(self) -> Cost:
        """Money spent, by part."""
        return self.run.cost

    @property
    def objective(self) -> float:
        """What was minimised."""
        return float(self.run.objective)

    @property
    def bound(self) -> float:
        """No plan has a lower objective."""
        return float(self.run.bound)

    @property
    def gap(self) -> float:
        """Relative distance of the two."""
        return float(self.run.gap)

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON-ready data: what `plan --json` prints."""
        return self.run.model_dump(mode="json", by_alias=True)

    def to_frame(self, table: str = "purchases") -> pandas.DataFrame:
        """A table of the run as a data frame, one row an entry.

        Args:
            table: one of `purchases`, `discounts`, `makes`, `lots`, `holdings`, `draws`, `stocks`, `deliveries`, `shortages`, `by_months`, `rounded`, `demands`,
                `exposed`, `rules`, `unproven`, `blocked`, `leads`, `limits`, `levels`, `assumptions`.

        Raises:
            ValueError: for another table.
        """
        import pandas

        if table not in TABLES:
            raise ValueError(f"no table `{table}`: one of {', '.join(TABLES)}")
        rows = [row.model_dump(mode="json") for row in getattr(self.run, table)]
        columns = list(Run.model_fields[table].annotation.__args__[0].model_fields)  # type: ignore[union-attr]
        return pandas.DataFrame(rows, columns=columns)

    def facts(self) -> dict[str, Any]:
        """All facts that the plan rests on, as JSON-ready data: with them `reverify` needs nothing else but the rules' code."""
        problem = self.plan.problem
        return {
            "case": problem.case.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "catalogs": [_relevant(problem).model_dump(mode="json", by_alias=True, exclude_defaults=True)],
            "rules": [_rule_data(rule, self.gathered.registry) for rule in problem.rules],
            "plan": self.plan.plan.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "digests": {f"{p.kind} {p.name}": p.digest for p in self.gathered.plugins},
        }


def _mix_html(run: Run, headline: str) -> str:
    """What a notebook shows of a run: its headline, and what is bought of each offer over the plan."""
    titles = ("Material", "Offer", "Facility", "Country", "To", "For", "kg", run.currency)
    sums: dict[tuple[str, ...], tuple[Decimal, Decimal]] = {}
    for row in run.purchases:
        key = (row.material, row.offer, row.facility, row.country, row.place, row.end_use)
        kilograms, money = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = kilograms + row.quantity_kg, money + row.cost
    rows = [(*key, f"{kilograms:,.0f}", f"{money:,.0f}") for key, (kilograms, money) in sorted(sums.items())]
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<p><b>{escape(run.case)}</b>: {escape(headline)}</p><table><tr>{head}</tr>{body}</table>"


def _read_back(run: Run, gathered: Gathered, session: Session) -> Recommendation:
    """A recommendation that was stored, with the plan that was verified again as its session was opened."""
    return Recommendation(run, session.verified, gathered, session)


def _rule_data(rule: Rule, registry: Registry) -> dict[str, Any]:
    data = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    try:
        owner = registry.owner(rule.kind)
    except PluginError:
        owner = type(rule).__module__  # a kind given in memory, that no registry knows
    return {"kind": rule.kind, "owner": owner, "data": {**data, "kind": rule.kind, "id": rule.id}}


def _relevant(problem: Problem) -> Catalog:
    """What of the catalogs can bear on the plan, or could if leads came to count: offers of its materials, those the case names, and all
    they refer to.
    """
    materials = up_the_chain({material for material, _ in problem.network.nodes}, problem.merged.offers.values())
    named = {given.id for given in problem.case.assume.offer}
    named |= {offer for rule in problem.rules if isinstance(rule, Pin) for offer in rule.weights}
    offers = [
        o
        for o in problem.merged.offers.values()
        if o.id in named or any(line.material in materials for line in o.outputs)
    ]
    materials |= {line.material for offer in offers for line in (*offer.inputs, *offer.outputs)}
    prices = [row for rows in problem.merged.prices.values() for row in rows]
    wanted = {offer.price.benchmark for offer in offers if offer.price is not None}
    kept = [row for row in prices if row.material in materials or row.id in wanted]
    materials |= {row.material for row in kept}
    seen: set[str] = set()
    for offer in offers:
        name = offer.facility
        while name in problem.merged.facilities and name not in seen:
            seen.add(name)
            name = problem.merged.facilities[name].within
    facilities = seen | _sites(problem, offers)
    return Catalog(
        name="facts",
        title=f"facts of {problem.case.name}",
        materials=tuple(m for m in problem.merged.materials.values() if m.id in materials),
        facilities=tuple(f for f in problem.merged.facilities.values() if f.id in facilities),
        offers=tuple(offers),
        schedules=tuple(
            schedule
            for schedule in problem.merged.schedules
            if any(covers(schedule, offer, problem.merged.facilities) for offer in offers)
        ),
        terms=tuple(
            terms
            for terms in problem.merged.terms
            if any(covers(terms, offer, problem.merged.facilities) for offer in offers)
        ),
        prices=tuple(kept),
        rates=problem.merged.rates,
        factors=problem.merged.factors,
        sources=tuple(s for key, s in sorted(problem.merged.sources.items()) if key != "case"),
    )


def _sites(problem: Problem, offers: Sequence[Offer]) -> set[str]:
    """Facilities that are places where something is delivered, used or held."""
    case = problem.case
    places = {place for _, place in problem.network.nodes} | {d.place for d in case.demands}
    places |= {s.place for s in case.stocks} | {o.place for o in case.orders} | {s.place for s in case.stores}
    places |= {lane.to for offer in offers for lane in offer.lanes}
    return {f.id for f in problem.merged.facilities.values() if f.place != f.country and f.place in places - {""}}
