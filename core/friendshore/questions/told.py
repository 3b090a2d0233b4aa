"""What the documents of all questions say alike: differences with what is proved of them, and what an answer took."""

from __future__ import annotations

from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, percent, written
from ..explain.results import Difference, Effort


def difference(found: Difference) -> doc.Amount | doc.Between:
    """A difference: one number where it is proved, else where it lies."""
    return doc.Amount(found.value) if found.proved else doc.Between(found.value, found.low, found.high)


def rise(found: Difference) -> str:
    """The same within a sentence."""
    return written(difference(found))


def mass_or_nothing(kilograms: Decimal) -> doc.Cell:
    """Kilograms as a cell; none: what stands for nothing."""
    return doc.Kilograms(kilograms) if kilograms else doc.NOTHING


def left_out(rows: int, one: str, many: str = "", which: str = "") -> list[str]:
    """What is told of so many rows that a table leaves out; nothing of none."""
    return [f"{count(rows, one, many)}{which}: --top 0 shows all"] if rows > 0 else []


def effort(found: Effort) -> doc.Section:
    """What an answer took, set apart at its end."""
    return doc.apart(doc.sentence(effort_line(found), tone=doc.Tone.ASIDE))


def effort_line(effort: Effort) -> str:
    """What an answer took."""
    known = percent(Decimal(str(effort.share_reused)))
    return (
        f"{count(effort.questions, 'question')} asked, {count(effort.solved, 'independent part')} solved, "
        f"{known} of the parts known already"
    )
