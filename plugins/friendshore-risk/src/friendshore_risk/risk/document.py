"""The answer to `risk` as it is told to people."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.figures import count

if TYPE_CHECKING:
    from .question import Risk


def risk_document(result: Risk) -> doc.Document:
    """Scenarios and their probabilities."""
    columns = [doc.Column("what comes"), doc.figures("probability")]
    rows: list[tuple[str, doc.Share]] = [
        (scenario.name, doc.Share(Decimal(repr(float(scenario.probability)))))
        for scenario in sorted(result.scenarios, key=lambda one: -one.probability)
    ]
    told = f"{count(len(rows), 'scenario')}, known from {result.day} on"
    return doc.document(
        f"{result.case}: risk", doc.sentence(told, strong=True), doc.section("Scenarios", doc.table(columns, rows))
    )
