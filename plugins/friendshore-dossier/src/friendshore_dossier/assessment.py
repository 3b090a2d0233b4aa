"""Assessment of strategic raw materials (EU Critical Raw Materials Act, Article 24): chain, risks, vulnerability, and measures."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice

from friendshore.document.figures import count, percent
from friendshore.domain.base import totals
from friendshore.domain.countries import countries_of, country_name
from friendshore.domain.stages import ROUTES, Stage
from friendshore.domain.stages import STEPS as STAGE_STEPS
from friendshore.questions.wording import short_texts

from .forms import (
    UNKNOWN,
    FormFacts,
    FormFigure,
    FormRow,
    FormSection,
    exact_number,
    kg,
    money,
    row,
    table,
)
from .magnets import Lots, OriginStep

BASIS = "Regulation (EU) 2024/1252, Article 24: company risk preparedness. No official template exists"
LIMITS = (
    "Whether Article 24 applies to the company isn't checked.",
    "It covers the materials of the case, and the sources in its catalogs.",
    "Shares count what the records allow. An unknown country may be any country.",
    "Risks are losses of sources that the plan uses, each alone. Their likelihood isn't assessed.",
    "Measures are what the model finds cheapest. They aren't a decision of the company.",
)
STRATEGIC = "strategic-raw-material"
STRESS, WITHSTAND = "stress", "withstand --losses 1"
MAX_ROWS = 12
"""Losses shown per table, those with the largest effect."""
_PURCHASES = "run.json, purchases"
_RISK_NOTE = "Each loss alone, from a new plan without it. Cash falls where a shortage takes the place of purchases."
_VULNERABLE_NOTE = "Losses after which no plan meets every demand, even if the plan prepares for them."
_MEASURE_NOTE = "The cheapest plan in which no single supplier's loss increases the shortage, where that is possible."
_LIMIT = Decimal("0.65")
"""Benchmark of Article 5(1)(b) for one third country, of the Union's yearly consumption."""


def sections(facts: FormFacts) -> tuple[str, list[FormSection]]:
    """Return the summary and the pages of the form."""
    lots = Lots(facts)
    materials = facts.problem.merged.materials
    strategic = {lot.material for lot in lots.purchases if STRATEGIC in materials[lot.material].tags}
    chosen = strategic or {lot.material for lot in lots.purchases}
    if not chosen:
        return "The plan buys nothing.", []
    shares = [_Shares(lots, material, stage) for material in sorted(chosen) for stage in materials[material].stages]
    above = sum(share.most > _LIMIT for share in shares)
    kind = "strategic raw material" if strategic else "material"
    summary = (
        f"The plan buys {count(len(chosen), kind)}. At {above} of {count(len(shares), 'stage')}, more than {percent(_LIMIT)} may come "
        "from one third country."
    )
    largest = "Material | Stage | Country | At least | At most | Above 65%"
    origin = "Material | Stage | Countries | Kilograms | Share"
    tables = (
        table(largest, [share.largest for share in shares], "Largest share of one third country, by stage"),
        table(origin, [each for share in shares for each in share.origins], "Origin of what the plan buys"),
    )
    risks = table("Loss | Cash | Shortage", _losses(facts))
    unmet = table("Loss | Unmet demand | Short | From | Until", _not_withstood(facts))
    measures = table("Measure | For | Kilograms | Money", _measures(facts))
    return summary, [
        FormSection(title="Chain", notes=("Kilograms include inputs that makers take.",), tables=tables),
        FormSection(title="Risks", notes=(_RISK_NOTE,), tables=(risks,)),
        FormSection(title="Vulnerability", notes=(_VULNERABLE_NOTE,), tables=(unmet,)),
        FormSection(title="Measures", notes=(_MEASURE_NOTE,), tables=(measures,)),
    ]


class _Shares:
    """Countries of one stage of a material, by kilograms that the plan buys."""

    def __init__(self, lots: Lots, material: str, stage: Stage) -> None:
        self.lots, self.material, self.stage = lots, material, stage
        words = frozenset({stage.value, *(word for word, of in STAGE_STEPS.items() if of is stage)})
        step = OriginStep(stage.value, words, ((stage.value,), *ROUTES[stage]))
        bought = [lot for lot in lots.purchases if lot.material == material]
        self.traced = [(lots.trace(lot, step), lots.total_kg(lot)) for lot in bought]
        self.total = sum((quantity for _, quantity in self.traced), Decimal(0)) or Decimal(1)
        third = {code for traced, _ in self.traced for code in traced.countries} - countries_of("EU")
        self.most, self.least, self.country = max((self._bounds(code) for code in third), default=self._bounds(""))

    def _bounds(self, code: str) -> tuple[Decimal, Decimal, str]:
        """Return the shares that may and that must come from a country. One that no record names may still supply what is unknown."""
        most = [part for traced, part in self.traced if code in traced.countries or not traced.is_known]
        least = [part for traced, part in self.traced if traced.is_known and traced.countries == {code}]
        return sum(most, Decimal(0)) / self.total, sum(least, Decimal(0)) / self.total, code

    @property
    def _name(self) -> tuple[str, str]:
        return self.lots.facts.run.names.material(self.material), self.stage.value

    @property
    def largest(self) -> FormRow:
        country = country_name(self.country) if self.country else UNKNOWN if self.most else "none"
        above = "yes" if self.least > _LIMIT else "possibly" if self.most > _LIMIT else "no"
        is_unknown = any(not traced.is_known for traced, _ in self.traced)
        cells = (country, percent(self.least), percent(self.most), above)
        return row(*self._name, *cells, evidence=(_PURCHASES,), unknown=is_unknown)

    @property
    def origins(self) -> Iterator[FormRow]:
        quantities = totals(((traced.in_words(), traced.is_known), quantity) for traced, quantity in self.traced)
        for (words, is_known), quantity in sorted(quantities.items(), key=lambda each: -each[1]):
            entries = [entry for traced, _ in self.traced if traced.in_words() == words for entry in traced.entries]
            evidence = (_PURCHASES, *self.lots.evidence(entries))
            cells = (words, kg(quantity), percent(quantity / self.total))
            yield row(*self._name, *cells, evidence=evidence, unknown=not is_known)


def _names(facts: FormFacts, command: str, at: str) -> tuple[str, list[FormFigure]]:
    figures = facts.solved_list(command, at)
    names = (str(figure.value) for figure in figures)
    return " and ".join(country_name(name) if len(name) == 2 else name for name in names), figures


def _losses(facts: FormFacts) -> Iterator[FormRow]:
    for at in islice(facts.entries(STRESS, "losses"), MAX_ROWS):
        kind, cash = facts.solved_fields(STRESS, at, "loss.by[0] cash")
        name, names = _names(facts, STRESS, f"{at}.loss.names")
        short = facts.solved_rows(STRESS, f"{at}.short", "material kilograms")
        kilograms = {str(material.value): exact_number(quantity.value) for material, quantity in short}
        texts = short_texts(facts.run.names, kilograms)
        figures = [kind, cash, *names, *chain.from_iterable(short)]
        yield row(f"{kind.value} {name}", money(cash.value), ", ".join(texts) or "none", figures=figures)


def _not_withstood(facts: FormFacts) -> Iterator[FormRow]:
    for at in islice(facts.entries(WITHSTAND, "not_withstood"), MAX_ROWS):
        name, names = _names(facts, WITHSTAND, f"{at}.losses")
        for figures in facts.solved_rows(WITHSTAND, f"{at}.short", "demand kilograms first last"):
            demand, quantity, first, last = (figure.value for figure in figures)
            yield row(name, str(demand), kg(quantity), str(first), str(last), figures=[*names, *figures])


def _measures(facts: FormFacts) -> Iterator[FormRow]:
    premium = facts.solved(STRESS, "insurance.premium.value")
    if premium.value is not None:
        measure = "prepare for the loss of any one supplier"
        yield row(measure, "all demands", "", money(premium.value), figures=[premium])
    for figures in facts.solved_rows(STRESS, "insurance.stock", "material kilograms holding"):
        material, quantity, holding = (figure.value for figure in figures)
        name = facts.run.names.material(str(material))
        yield row("hold stock", name, kg(quantity), money(holding), figures=figures)
    for figures in facts.solved_rows(STRESS, "insurance.ordered", "offer kilograms new"):
        offer, quantity, is_new = (figure.value for figure in figures)
        if is_new is True:
            yield row("buy from a new source", str(offer), kg(quantity), "", figures=figures)
