"""Validation of the answers of rules: verdicts, sums of money, and linear rows.

A kind of rule may be a plugin's code. Each answer is validated when it comes in, so that a wrong one is reported as the author's error and
never becomes a wrong plan.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

from ..domain.use import Verdict
from .base import Rule
from .rows import Row, Rows
from .terms import ForUses, LackingTerm, Term, UsedTerm

MOST_ROWS = 100_000
"""Maximum number of rows of a plugin's rule. A `Rows` counts as one."""
_LONGEST = 60
"""Maximum characters of a wrong answer in a message."""


class WrongAnswer(TypeError):  # noqa: N818 - said of an answer, like `StopIteration` of an iteration
    """A rule returned an invalid answer."""


def as_verdict(found: object) -> Verdict:
    """Return the answer of `judge`.

    Raises:
        WrongAnswer: If it is not a verdict.
    """
    if not isinstance(found, Verdict):
        raise WrongAnswer(f"`judge` answers {_shown(found)}, no verdict")
    return found


def as_charge(found: object) -> Decimal:
    """Return the answer of `charge`: money per kilogram.

    Raises:
        WrongAnswer: If it is not a finite decimal number, or if it would pay the buyer.
    """
    if not isinstance(found, Decimal) or not found.is_finite():
        raise WrongAnswer(f"`charge` answers {_shown(found)}, no Decimal")
    if found < 0:
        raise WrongAnswer(f"`charge` answers {found}, which pays the buyer: a charge is zero or more")
    return found


def as_rule(found: object) -> Rule:
    """Return the answer of `in_currency`.

    Raises:
        WrongAnswer: If it is not a rule.
    """
    if not isinstance(found, Rule):
        raise WrongAnswer(f"`in_currency` answers {_shown(found)}, no rule")
    return found


def as_sentence(found: object) -> str:
    """Return the answer of `sentence`.

    Raises:
        WrongAnswer: If it is not text.
    """
    if not isinstance(found, str):
        raise WrongAnswer(f"`sentence` answers {_shown(found)}, no text")
    return found


def as_rows(found: Iterable[object], counted_end_uses: Collection[str], most: int | None = None) -> list[Row | Rows]:
    """Return the answer of `rows`.

    Args:
        found: The answer.
        counted_end_uses: End uses that the rule names in `counted_end_uses`.
        most: Maximum number of rows. None means no limit.

    Raises:
        WrongAnswer: If there are too many, or if one is not a row, can't be part of a linear program, or counts by an end use that the rule
            doesn't name.
    """
    rows: list[Row | Rows] = []
    answers = list(found if most is None else islice(found, most + 1))
    if most is not None and len(answers) > most:
        raise WrongAnswer(f"`rows` yields more than {most:,} rows; fix: yield rows that are alike as one `Rows`")
    for row in answers:
        for fault in faults(row):
            raise WrongAnswer(fault)
        assert isinstance(row, Row | Rows)
        for fault in unnamed_uses(row, counted_end_uses):
            raise WrongAnswer(fault)
        rows.append(row)
    return rows


def faults(row: object) -> Iterator[str]:
    """Yield the reasons why a row, or many, can't be part of a linear program."""
    if isinstance(row, Row):
        named = f"row `{row.label}`"
        bounds: dict[str, Sequence[object]] = {"at_least": [row.at_least], "at_most": [row.at_most]}
        for term in row.terms:
            fault = _fault_of(term)
            if fault:
                yield f"{named}: {fault}"
    elif isinstance(row, Rows):
        import numpy as np  # slow to load, and not needed to list rules

        count = len(row.labels)
        named = f"rows `{row.labels[0]}` and on" if count else "rows of no name"
        given = {"at_least": row.at_least, "at_most": row.at_most}
        sizes = {"counts": len(row.bought.first) - 1, **{n: len(ends) for n, ends in given.items() if ends is not None}}
        bounds = {
            name: list({id(end): end for end in ends}.values()) for name, ends in given.items() if ends is not None
        }
        wrong = [f"{size} of `{name}`" for name, size in sizes.items() if size != count]
        if wrong:
            yield f"{named}: there are {count} names and {' and '.join(wrong)}"
        elif not np.isfinite(row.bought.weight).all():
            yield f"{named}: a factor in what is bought is no number"
    else:
        yield f"`rows` yields {_shown(row)}, no row"
        return
    for name, ends in {**bounds, "penalty": [row.penalty]}.items():
        for bound in ends:
            if bound is not None and not (isinstance(bound, Decimal) and bound.is_finite()):
                yield f"{named}: `{name}` is {_shown(bound)}, no Decimal"
                break


def unnamed_uses(row: Row | Rows, named: Collection[str]) -> Iterator[str]:
    """Yield the end uses that a row counts by although its rule doesn't name them, so that no compliance class distinguishes them."""
    for term in row.asked:
        for_uses: ForUses | None = getattr(term, "for_uses", None)
        for use in sorted(for_uses.end_uses.difference(named)) if for_uses is not None else ():
            yield f"it counts what is for {use}, which `counted_end_uses` of its rule does not name"


def _fault_of(term: object) -> str:
    if not isinstance(term, Term):
        return f"it adds {_shown(term)}, no term"
    fault = next((fault for _, part in term.parts if (fault := _fault_of(part))), "")
    finite = all(isinstance(f, int | float | Decimal) and math.isfinite(f) for f in _factors(term))
    return fault or ("" if finite else f"a factor in {_said(term)} is no number")


def _factors(term: Term) -> list[object]:
    """Return all numbers that a term multiplies by or compares with."""
    if isinstance(term, LackingTerm):
        return [term.times, *(base for base, _ in term.parts)]
    return [*term.weight.tolist(), term.times, *([term.at_least] if isinstance(term, UsedTerm) else [])]


def _said(term: Term) -> str:
    return f"what is {type(term).__name__.removesuffix('Term').lower()}"


def _shown(found: object) -> str:
    """Return a wrong answer in words. For a term this is its value on a plan, on which no bound may depend."""
    if isinstance(found, Term):
        return f"{_said(found)} in the plan"
    text = repr(found)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
