"""Analysis of alternatives for an individual nonavailability determination (DFARS 225.7018-4, PGI 225.7018-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from friendshore.document.figures import count, mass
from friendshore.document.figures import money as money_text
from friendshore.domain.base import exact
from friendshore.domain.run import RunDemand
from friendshore.explain.eligibility import Eligibilities, Obstacle, delivers, obstacles

from .forms import (
    Cell,
    FormFacts,
    FormFigure,
    FormRow,
    FormSection,
    Value,
    exact_number,
    inquiry,
    kg,
    money,
    row,
    table,
)

BASIS = "10 USC 4872(c) and DFARS 225.7018-4(a)(2): why each alternative is unsatisfactory (PGI 225.7018-4)"
LIMITS = (
    "A determination under DFARS 225.7018-4 concerns only needs that a rule of 10 USC 4872 checks.",
    "It covers only the sources in the catalogs of the case. It doesn't claim that no other source exists.",
    "Quality is assessed only as far as the catalogs tell materials apart. Grades and drawings aren't compared.",
    "A missing figure or proof doesn't show that a source is unsatisfactory. It is listed as an inquiry to make.",
    "A price counts as unreasonable only above the price limit that the case states for the need.",
    "Nothing here certifies. DFARS 225.7018-4(a)(2) requires a written certification, which a person writes and signs.",
)
_NOTE = (
    "Shortage and cash: how both change in the cheapest compliant plan if this obstacle alone didn't exist. A shortage that "
    "doesn't change needs more than this."
)
# Kinds of obstacles and of causes, in the words of the regulation.
_FACTORS = {
    "forbidden": "not compliant", "law": "not compliant", "license": "not compliant: no license", "unproven": "compliance not proved",
    "proof": "compliance not proved", "time": "timing", "dates": "timing", "lead time": "timing", "date": "timing",
    "inputs": "form: no input to make it from", "price": "price",
}  # fmt: skip


def sections(facts: FormFacts) -> tuple[str, list[FormSection]]:
    """Return the summary and the pages of the form: the needs, and each need with its sources."""
    needs = [demand for demand in facts.run.demands if demand.short_kg]
    if not needs:
        return "No need is short, so there is no nonavailability to determine.", []
    eligibilities = Eligibilities(facts.problem)
    analyses = [_NeedAnalysis(facts, eligibilities, demand) for demand in needs]
    columns = "Need | Wanted | Delivered | Short | Short from | Short until | Price limit per kg | Rules of origin"
    summary = (
        f"{count(len(needs), 'need')} of {len(facts.run.demands)} can't be met from the sources in the catalogs of the case. For each, "
        "every source is listed with the reason why it doesn't serve the need."
    )
    overview = FormSection(title="Needs that can't be met", tables=(table(columns, [a.need_row for a in analyses]),))
    return summary, [overview, *(analysis.section for analysis in analyses)]


@dataclass(frozen=True, eq=False)
class _NeedAnalysis:
    """One need that can't be met, and all sources of its material."""

    facts: FormFacts
    eligibilities: Eligibilities
    need: RunDemand

    @cached_property
    def _name(self) -> str:
        return f"{self.facts.run.names.material(self.need.material)} for {self.need.end_use}, {self.need.place}"

    @cached_property
    def _short_days(self) -> list[FormFigure]:
        """Return the first and the last day of the shortage."""
        labels = [shortage.period for shortage in self.facts.run.shortages_of.get(self.need.id, ())]
        short = [i for i, period in enumerate(self.facts.run.periods) if period.label in labels]
        places = (f"periods[{short[0]}].start", f"periods[{short[-1]}].end") if short else ()
        return [self.facts.plan(at) for at in places]

    @property
    def need_row(self) -> FormRow:
        fields = ("wanted_kg", "delivered_kg", "short_kg", "shortage_price")
        figures = [self.facts.plan(f"demands[{self.facts.run.demands.index(self.need)}].{field}") for field in fields]
        *quantities, limit = (figure.value for figure in figures)
        days = [str(day.value) for day in self._short_days] or ["", ""]
        names = ", ".join(self.need.origin_rules) or "none: no determination applies"
        return row(self._name, *map(kg, quantities), *days, money(limit), names, figures=[*figures, *self._short_days])

    @property
    def section(self) -> FormSection:
        sources = "Source | Factor | Why it doesn't serve the need | Supply | Shortage | Cash"
        tables = (
            table(sources, [each for name in self._offers for each in self._rows_of(name)], "Sources"),
            table("Ask | About | Document to request", self._inquiries(), "Inquiries to make"),
        )
        clauses = [f"{rule.id}: {rule.citation}" for rule in self.facts.run.rules if rule.id in self.need.origin_rules]
        return FormSection(title=self._name, notes=(*clauses, _NOTE), tables=tables)

    @cached_property
    def _offers(self) -> dict[str, int | None]:
        """Offers of the material as in `friendshore alternatives` -> position in the problem. None if its facts don't suffice for a plan."""
        problem, material = self.facts.problem, self.need.material
        positions = {facts.offer.id: i for i, facts in enumerate(problem.offers)}
        ids = {problem.offers[offer].offer.id for offer, name in self.eligibilities.arcs if name == material}
        ids |= {lead.offer.id for lead in problem.leads if delivers(lead.offer, material)}
        ids |= {line.offer for line in problem.facts.incumbents if line.material.id == material}
        return {name: positions.get(name) for name in sorted(ids)}

    def _source(self, name: str) -> str:
        merged = self.facts.problem.merged
        return self.facts.source(name, merged.facilities[merged.offers[name].facility])

    def _obstacles(self, name: str) -> tuple[list[tuple[int, Obstacle]], bool]:
        """Return the obstacles of an offer for this need, each with its place in `why-not`, and True if these are all."""
        use = f"{self.need.material} for {self.need.end_use}"
        problem = self.facts.problem
        lead = next((lead for lead in problem.leads if lead.offer.id == name), None)
        of_offer = obstacles(self.eligibilities, problem.merged.offers[name], lead)
        relevant = [(i, each) for i, each in enumerate(of_offer) if not each.end_uses or use in each.end_uses]
        return relevant, len(relevant) == len(of_offer)

    def _rows_of(self, name: str) -> Iterator[FormRow]:
        relevant, are_all = self._obstacles(name)
        source, command, supply = self._source(name), f"why-not {name}", self._supply(name)
        supplied = kg(supply[0].value) if supply else "unknown"
        if not relevant:
            factor, reason, figures = self._unobstructed(name)
            yield row(source, factor, reason, supplied, "", "", figures=[*supply, *figures])
            return
        for i, obstacle in relevant:
            effect, figures = self._effect(command, f"obstacles[{i}].relaxed")
            yield row(
                source, _factor(obstacle), _sentence(obstacle.text), supplied, *effect,
                figures=[*supply, _stated(name, i, obstacle), *figures],
                evidence=filter(None, (obstacle.clause,)), unknown=obstacle.kind in ("figure", "unproven"),
            )  # fmt: skip
        if are_all and self.facts.solved(command, "together.bought_kg").value is not None:
            effect, figures = self._effect(command, "together")
            reason = "All obstacles of this source together."
            yield row(source, "all of these", reason, supplied, *effect, figures=[*supply, *figures])

    def _effect(self, command: str, at: str) -> tuple[tuple[Cell | str, Cell | str], list[FormFigure]]:
        fields = f'bought_kg adds.short_kg."{self.need.material}"? adds.cash'
        bought, short, cash = self.facts.solved_fields(command, at, fields)
        if bought.value is None:
            return ("no change of the case solves it", ""), []
        if cash.value is None:
            return ("rules would conflict", ""), [cash]
        return (kg(short.value or 0.0), money(cash.value)), [short, cash]

    def _supply(self, name: str) -> list[FormFigure]:
        position, material = self._offers[name], self.need.material
        max_kg = self.eligibilities.max_supply_kg(position, material) if position is not None else None
        return [self._alternative(name, "max_kg", float(exact(max_kg)))] if max_kg is not None else []

    def _alternative(self, name: str, field: str, value: Value) -> FormFigure:
        material = self.need.material
        at = f"offers[offer={name},material={material}].{field}"
        return FormFigure(command=f"alternatives {material}", at=at, value=value)

    def _unobstructed(self, name: str) -> tuple[str, str, list[FormFigure]]:
        """Return the factor, reason, and figures of an offer that may serve the need: it is used up, late, or too expensive."""
        days, figures = self._first_delivery(name)
        purchases = [p for p in self.facts.run.purchases if (p.offer, p.material) == (name, self.need.material)]
        causes = [cause for short in self.facts.run.shortages_of.get(self.need.id, ()) for cause in short.causes]
        restrictions = [each for cause in causes for each in cause.restrictions]
        of_offer = [each for each in restrictions if name in (*each.names, *each.offers)] or restrictions
        factor = _FACTORS.get(of_offer[0].kind, "quantity") if of_offer else "unknown"
        cause = of_offer[0].brief(self.facts.run.names) if of_offer else "no cause was found in time"
        if purchases:
            bought_kg = sum((purchase.quantity_kg for purchase in purchases), Decimal(0))
            figures.append(self._alternative(name, "plan_kg", float(exact(bought_kg))))
            return factor, f"The plan buys {mass(bought_kg)} of it. More doesn't arrive: {cause}.{days}", figures
        price, today = self.facts.solved_fields(f"why-not {name}", "break_even", "price current_price")
        figures += [price, today]
        if price.value is None or today.value is None:
            return factor, f"The plan doesn't buy it: {cause}.{days}", figures
        currency = self.facts.run.currency
        limit, now = (f"{currency} {money_text(exact_number(each.value))}/kg" for each in (price, today))
        return "price", f"Its price is {now}. The plan buys it only below {limit}.{days}", figures

    def _first_delivery(self, name: str) -> tuple[str, list[FormFigure]]:
        """Return a sentence on the first lawful delivery, and the days by which it misses the start of the shortage."""
        position = self._offers[name]
        standing = self.eligibilities.by_offer.get((position, self.need.material)) if position is not None else None
        if standing is None or standing.first is None or not self._short_days:
            return "", []
        period, first_short = self.facts.run.periods[standing.first], self._short_days[0]
        figures = [
            self._alternative(name, "first_delivery", period.label),
            self.facts.plan(f"periods[{standing.first}].start"),
        ]
        late = (period.start - period.start.fromisoformat(str(first_short.value))).days
        lateness = f", {count(late, 'day')} after the shortage starts" if late > 0 else ""
        return f" It can first arrive from {period.start}{lateness}.", [*figures, first_short]

    def _inquiries(self) -> Iterator[FormRow]:
        material = self.facts.problem.merged.materials[self.need.material]
        for name in self._offers:
            unknowns = [(i, each) for i, each in self._obstacles(name)[0] if each.kind in ("figure", "unproven")]
            about = " ".join(dict.fromkeys(_sentence(obstacle.text) for _, obstacle in unknowns))
            figures = [_stated(name, i, obstacle) for i, obstacle in unknowns]
            declared = material if any(obstacle.kind == "unproven" for _, obstacle in unknowns) else None
            if unknowns:
                yield inquiry(self._source(name), about, declared, figures)


def _stated(name: str, number: int, obstacle: Obstacle) -> FormFigure:
    return FormFigure(command=f"why-not {name}", at=f"obstacles[{number}].obstacle.text", value=obstacle.text)


def _factor(obstacle: Obstacle) -> str:
    if obstacle.kind == "figure":
        return "price unknown" if any(change.price for change in obstacle.relaxed_by) else "quantity unknown"
    return _FACTORS.get(obstacle.kind, "quantity")


def _sentence(content: str) -> str:
    return f"{content[:1].upper()}{content[1:]}" + ("" if content.endswith(".") else ".")
