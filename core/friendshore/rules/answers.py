"""Validation of the results of rules: verdicts, sums of money, and linear rows. A rule may be a plugin's code. A wrong result is its author's error, and never becomes a wrong plan."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

from ..domain.use import PASS, Result, Verdict
from ..reading.textfile import SURROGATE
from .base import Rule
from .rows import Row, Rows
from .terms import ForUses, ShortfallTerm, Term, UsedTerm

# Maximum number of rows of a plugin's rule. A `Rows` counts as one.
MOST_ROWS = 100_000
_MAX_SHOWN = 60


class InvalidResult(TypeError):  # noqa: N818 - names a result, like `StopIteration`
    """A rule returned an invalid result."""


def as_verdict(result: object) -> Verdict:
    if not isinstance(result, Verdict) or not isinstance(result.result, Result):
        raise InvalidResult(f"`judge` returned {_shown(result)} instead of a verdict")
    if result is not PASS:
        for text in (result.rule, result.stage, result.clause, result.reason):
            _as_text(text, "judge")
    return result


def _as_text(text: object, method: str) -> str:
    """Return a text that a run can contain. Raises `InvalidResult` if it has half of a character."""
    if not isinstance(text, str):
        raise InvalidResult(f"`{method}` returned {_shown(text)} instead of text")
    if not text.isascii() and SURROGATE.search(text):
        raise InvalidResult(f"`{method}` returned a text with half of a character: {_shown(text)}")
    return text


def as_charge(result: object) -> Decimal:
    """Return the result of `charge`, in money per kilogram. Raises `InvalidResult` if it is not a finite decimal number of at least 0."""
    if not isinstance(result, Decimal) or not result.is_finite():
        raise InvalidResult(f"`charge` returned {_shown(result)} instead of a finite Decimal")
    if result < 0:
        raise InvalidResult(f"`charge` returned {result}, but a charge can't be negative")
    return result


def as_rule(result: object) -> Rule:
    if not isinstance(result, Rule):
        raise InvalidResult(f"`in_currency` returned {_shown(result)} instead of a rule")
    return result


def as_sentence(result: object) -> str:
    return _as_text(result, "sentence")


def as_rows(
    result: Iterable[object], counted_end_uses: Collection[str], max_rows: int | None = None
) -> list[Row | Rows]:
    """Return the result of `rows`, which must be part of a linear program and count only `counted_end_uses`. Raises `InvalidResult`."""
    rows: list[Row | Rows] = []
    yielded = list(result if max_rows is None else islice(result, max_rows + 1))
    if max_rows is not None and len(yielded) > max_rows:
        raise InvalidResult(f"`rows` yields more than {max_rows:,} rows; fix: combine similar rows in one `Rows`")
    for row in yielded:
        for problem in faults(row):
            raise InvalidResult(problem)
        assert isinstance(row, Row | Rows)
        for text in (row.label if isinstance(row, Row) else "".join(row.labels), row.sentence):
            _as_text(text, "rows")
        for problem in unnamed_uses(row, counted_end_uses):
            raise InvalidResult(problem)
        rows.append(row)
    return rows


def faults(row: object) -> Iterator[str]:
    if isinstance(row, Row):
        subject = f"row `{row.label}`"
        bounds: dict[str, Sequence[object]] = {"at_least": [row.at_least], "at_most": [row.at_most]}
        for term in row.terms:
            problem = _term_problem(term)
            if problem:
                yield f"{subject}: {problem}"
    elif isinstance(row, Rows):
        import numpy as np  # slow to load, and not needed to list rules

        count = len(row.labels)
        subject = f"rows from `{row.labels[0]}`" if count else "rows without names"
        stated = {"at_least": row.at_least, "at_most": row.at_most}
        sizes = {"counts": len(row.bought.first) - 1, **{f: len(bs) for f, bs in stated.items() if bs is not None}}
        # The same object is often the bound of many rows.
        bounds = {f: list({id(bound): bound for bound in bs}.values()) for f, bs in stated.items() if bs is not None}
        mismatches = [f"{size} of `{field}`" for field, size in sizes.items() if size != count]
        if mismatches:
            yield f"{subject}: there are {count} names but {' and '.join(mismatches)}"
        elif not np.isfinite(row.bought.weight).all():
            yield f"{subject}: a weight of the purchases is not a finite number"
    else:
        yield f"`rows` yields {_shown(row)} instead of a row"
        return
    for field, values in {**bounds, "penalty": [row.penalty]}.items():
        for value in values:
            if value is not None and not (isinstance(value, Decimal) and value.is_finite()):
                yield f"{subject}: `{field}` is {_shown(value)} instead of a finite Decimal"
                break


def unnamed_uses(row: Row | Rows, named: Collection[str]) -> Iterator[str]:
    """Yield errors for end uses that a row counts although its rule doesn't name them, so that no compliance class distinguishes them."""
    for term in row.all_terms:
        for_uses: ForUses | None = getattr(term, "for_uses", None)
        for use in sorted(for_uses.end_uses.difference(named)) if for_uses is not None else ():
            yield f"it counts the end use {use}, which isn't in its rule's `counted_end_uses`"


def _term_problem(term: object) -> str:
    if not isinstance(term, Term):
        return f"it adds {_shown(term)} instead of a term"
    nested = next((problem for _, part in term.parts if (problem := _term_problem(part))), "")
    finite = all(isinstance(f, int | float | Decimal) and math.isfinite(f) for f in _factors(term))
    return nested or ("" if finite else f"a factor of {_term_text(term)} is not a finite number")


def _factors(term: Term) -> list[object]:
    if isinstance(term, ShortfallTerm):
        return [term.times, *(base for base, _ in term.parts)]
    return [*term.weight.tolist(), term.times, *([term.at_least] if isinstance(term, UsedTerm) else [])]


def _term_text(term: Term) -> str:
    return f"a {type(term).__name__}"


def _shown(result: object) -> str:
    """Return a wrong result as text. A term has no value here, since no bound may depend on the plan."""
    if isinstance(result, Term):
        return f"{_term_text(result)}, which depends on the plan,"
    text = repr(result)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
