"""Order dossier: a page for each purchase, with its orders, the verdict of each clause, and the document behind each stage."""

from __future__ import annotations

from collections.abc import Iterator

from friendshore.document.figures import count
from friendshore.domain.base import grouped
from friendshore.run import RunVerdict

from .forms import UNKNOWN, FormFacts, FormRow, FormSection, kg, money, row, table
from .magnets import BoughtLot, Lots, OriginStep, Traced, is_proved

BASIS = "DFARS 252.225-7052 and 252.225-7009: records for a certificate of conformance. No form is prescribed"
LIMITS = (
    "A verdict says what a rule finds in the records of the case. It doesn't claim that the records are true.",
    "`pass` means that no record is in the way of the rule, on the days stated. Rules that the case doesn't use aren't checked.",
    "A stage without a complete record is unknown.",
    "It isn't a certificate of conformance. The seller signs that.",
)
_RESULTS = {"fail": "prohibited, under a waiver or license", "unproven": "unproven, accepted by the case"}


def sections(facts: FormFacts) -> tuple[str, list[FormSection]]:
    """Return the summary and a page for each purchase."""
    lots = Lots(facts)
    verdicts = grouped((BoughtLot(v.offer, v.material, v.place, v.compliance_class), v) for v in facts.verdicts())
    summary = (
        f"{count(len(facts.run.purchases), 'order')} in {count(len(lots.purchases), 'purchase')}. Each purchase has a page, with the verdict of every "
        "clause that applies to it and the document behind each stage."
    )
    return summary, [_page(lots, number, lot, verdicts.get(lot, [])) for number, lot in enumerate(lots.purchases, 1)]


def _page(lots: Lots, number: int, lot: BoughtLot, verdicts: list[RunVerdict]) -> FormSection:
    facts = lots.facts
    use = facts.run.purchases[lots.purchases[lot][0]].end_use
    tables = (
        table("Ordered | Order by | Delivered | Kilograms | Cost", _orders(lots, lot), "Orders"),
        table("Clause | Verdict | Stage | Countries | Days | Reason", _clauses(lots, verdicts), "Clauses"),
        table("Stage | Countries | Recorded for | Document | Date | SHA-256", _records(lots, lot), "Records of origin"),
    )
    title = f"{number}. {facts.run.names.material(lot.material)} from {facts.run.names.offer(lot.offer)}"
    where = f"{lots.source(lot.offer)}, for {use}, delivered to {lot.place}, compliance class {lot.compliance_class}."
    return FormSection(title=title, notes=(where,), tables=tables)


def _orders(lots: Lots, lot: BoughtLot) -> Iterator[FormRow]:
    for i in lots.purchases[lot]:
        fields = ("ordered", "order_by", "delivered", "quantity_kg", "cost")
        figures = [lots.facts.plan(f"purchases[{i}].{field}") for field in fields]
        *days, quantity, cost = (figure.value for figure in figures)
        yield row(*map(str, days), kg(quantity), money(cost), figures=figures)


def _clauses(lots: Lots, verdicts: list[RunVerdict]) -> Iterator[FormRow]:
    """Yield a row for each finding and each rule of origin, and one for all other rules, which find nothing."""
    rules = {rule.id: rule for rule in lots.facts.run.rules}
    origin_rules = {name for demand in lots.facts.run.demands for name in demand.origin_rules}
    findings = grouped(
        ((v.result == "pass", v.rule, v.result, v.stage, v.countries, v.clause, v.reason), v.days) for v in verdicts
    )
    silent = {rule: days for (is_pass, rule, *_), days in findings.items() if is_pass and rule not in origin_rules}
    for (is_pass, rule, result, stage, countries, clause, reason), days in sorted(findings.items()):
        if not (is_pass and rule in silent):
            citation = clause or rules[rule].citation or rules[rule].title
            cells = (citation, _RESULTS.get(result, result), stage, countries, _days(days), reason)
            yield row(*cells, evidence=(f"verdicts.csv, rule {rule}",), unknown=result == "unproven")
    if silent:
        days = [day for of_rule in silent.values() for day in of_rule]
        cells = (count(len(silent), "other rule"), "pass", "", "", _days(days), "finds nothing in the records")
        yield row(*cells, evidence=(f"verdicts.csv, rules {', '.join(sorted(silent))}",))


def _days(days: list[str]) -> str:
    starts, ends = zip(*(day.partition("..")[::2] for day in days), strict=True)
    return f"{min(starts)} to {max(ends)}"


def _records(lots: Lots, lot: BoughtLot) -> Iterator[FormRow]:
    every_word = frozenset(entry.stage for chained in lots.chained.values() for entry in chained.stage_entries)
    entries = lots.trace(lot, OriginStep("", every_word)).entries
    for offer, entry in entries:
        where = Traced(entry.countries, is_proved(entry))
        cells = (entry.stage, where.in_words(), lots.source(offer), *lots.facts.document(entry.source))
        yield row(*cells, evidence=(entry.source,), unknown=not where.is_known)
    recorded = {entry.main_stage for _, entry in entries}
    for stage in lots.facts.problem.merged.materials[lot.material].stages:
        if stage not in recorded:
            cells = (stage.value, UNKNOWN, UNKNOWN, "no document", "", "")
            yield row(*cells, evidence=("no record",), unknown=True)
