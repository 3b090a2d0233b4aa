"""Errors as text and as data, and results of checks: of a case, a run folder, a plugin, a catalog, or a rule pack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

from ..document import elements as doc
from ..document.figures import count
from ..domain.base import grouped
from ..domain.used import STALE, aged, is_stale, rule_changes_since_review
from ..errors import Diagnostic, FriendshoreError
from ..inert import visible
from .caveats import stale_in_check


def problem_data(problem: Diagnostic) -> dict[str, object]:
    """Return an error as JSON-ready data, without empty fields."""
    return {name: value for name, value in asdict(problem).items() if value not in ("", None)}


def errors_data(error: FriendshoreError) -> dict[str, object]:
    """Return the output of `--json` in place of an answer."""
    return {"errors": [problem_data(problem) for problem in error.problems]}


_ROWS = 12
"""Maximum number of rows listed for an error that several rows share."""


def problem_lines(problems: Iterable[Diagnostic]) -> list[str]:
    """Return errors as text: place and error on one line, then the value found, the expected value, and the fix.

    An error with the same words in several places appears once, with the other places.
    """
    lines: list[str] = []
    for problem, *others in by_cause(problems):
        lines.append(problem.first_line)
        details = (
            ("found", problem.found),
            ("expected", problem.expected),
            ("fix", problem.fix),
            ("also", _places(others)),
        )
        lines += [f"    {name + ':':<10}{text}" for name, text in details if text]
    return [*map(visible, lines)]


def by_cause(problems: Iterable[Diagnostic]) -> list[list[Diagnostic]]:
    """Return errors, grouped by words and value found, since many rows may name one missing id."""
    causes: dict[object, list[Diagnostic]] = {}
    for problem in problems:
        same = (problem.message, problem.found, problem.expected, problem.fix)
        alone = not problem.found or problem.row is None
        causes.setdefault((same, problem.file, problem.column) if alone else same, []).append(problem)
    return list(causes.values())


def _places(others: Iterable[Diagnostic]) -> str:
    found = []
    for (file, column), rows in grouped(((one.file, one.column), str(one.row)) for one in others).items():
        left = len(rows) - _ROWS
        named = ", ".join(rows[:_ROWS]) + (f" and {left} more" if left > 0 else "")
        found.append(f"{file}:{named}" + (f" [{column}]" if column else ""))
    return "; ".join(found)


if TYPE_CHECKING:  # a list of plugins needs no solver
    from ..recommend import Checked, RunCheck


def check_data(checked: Checked, day: date | None = None) -> dict[str, object]:
    """Return a check of a case as JSON-ready data."""
    limit = checked.oldest_price_days
    return {
        "ok": not checked.errors,
        "errors": [problem_data(problem) for problem in checked.errors],
        "suggestions": [problem_data(problem) for problem in checked.suggestions],
        "data": [{"kind": one.kind, "name": one.name, "as_of": str(one.as_of or "")} for one in checked.data],
        "turned": list(map(str, rule_changes_since_review(checked.law, checked.data, day))),
        **({} if limit is None else {"oldest_price_days": limit, "old_prices": _old_prices(checked, day)}),
    }


def check_document(checked: Checked, day: date | None = None) -> doc.Document:
    """Return a check of a case: the age of its data on the day, its suggestions, and the number of errors. The errors go to stderr."""
    if checked.errors:
        causes = len(by_cause(checked.errors))
        places = f" in {len(checked.errors)} places" if len(checked.errors) > causes else ""
        told = doc.sentence(count(causes, "mistake") + places, tone=doc.Tone.BAD, strong=True)
        return doc.document("Check", told)
    head = (doc.sentence("no mistakes", tone=doc.Tone.GOOD, strong=True), *_ages(checked, day))
    if not checked.suggestions:
        return doc.document("Check", *head)
    title = count(len(checked.suggestions), "suggestion")
    return doc.document(
        "Check", *head, doc.section(title, doc.notes(map(_suggestion, checked.suggestions)), tone=doc.Tone.PLAIN)
    )


def _ages(checked: Checked, day: date | None) -> Iterator[doc.Element | None]:
    by_age = grouped((aged(one.as_of, day), f"{one.kind} {one.name}") for one in checked.data)
    yield doc.notes(f"{', '.join(names)}, {age}" for age, names in by_age.items())
    if old := [f"{one.kind} {one.name}" for one in checked.data if is_stale(one.as_of, day)]:
        yield doc.sentence(f"looked at more than {STALE.days} days ago: {', '.join(old)}", tone=doc.Tone.DOUBTFUL)
    if turned := list(map(str, rule_changes_since_review(checked.law, checked.data, day))):
        yield doc.section(
            "Law that turned since it was looked at", doc.notes(turned, doc.Tone.DOUBTFUL), tone=doc.Tone.DOUBTFUL
        )
    if old_prices := stale_in_check(checked.old_prices(day), checked.oldest_price_days, len(checked.prices), day):
        yield doc.sentence(old_prices, tone=doc.Tone.DOUBTFUL)


def _old_prices(checked: Checked, day: date | None) -> list[dict[str, object]]:
    """Return the stale prices as JSON-ready data, each with its age in days, or null without a date."""
    ages = ((one, None if day is None else one.age(day)) for one in checked.old_prices(day))
    return [{**one.model_dump(mode="json"), "age": age} for one, age in ages]


def _suggestion(problem: Diagnostic) -> str:
    place = problem.file
    if place and problem.row:
        place += f":{problem.row}" + (f" [{problem.column}]" if problem.column else "")
    return (f"{place}: " if place else "") + problem.message + (f" ({problem.fix})" if problem.fix else "")


def run_check_data(checked: RunCheck) -> dict[str, object]:
    """Return a check of a run as JSON-ready data."""
    return {
        "case": checked.case,
        "verified": checked.verified,
        "answer": answer(checked),
        "differs": list(checked.differs),
        "findings": [problem_data(problem) for problem in checked.findings],
        "unverified": [problem_data(problem) for problem in checked.unchecked],
        "vouched_for": list(checked.vouched),
        "not_vouched_for": list(checked.unvouched),
        "applied": list(checked.applied),
        "as_told": list(checked.as_told),
        "optimality": checked.sentences[0],
        "optimality_proved": checked.optimality_proved,
        **{key: value for one in checked.answers.values() for key, value in one.data.items()},
        "proves_not": checked.proves_not,
    }


def run_check_document(checked: RunCheck) -> doc.Document:
    """Return a check of a run: the answer, local differences, failures of verification, vouched facts, and what it doesn't prove."""
    unverified = doc.Verbatim(tuple(problem_lines(checked.unchecked))) if checked.unchecked else None
    said = [f"{text[:1].upper()}{text[1:]}." for text in checked.sentences]
    return doc.document(
        "Check of a run",
        _verdict(checked),
        _part("Here is something else than the run was made with", checked.differs, doc.Tone.DOUBTFUL),
        doc.apart(doc.Verbatim(tuple(problem_lines(checked.findings)))) if checked.findings else None,
        doc.section_if_any("Left unverified", unverified, tone=doc.Tone.DOUBTFUL),
        _part("Applied to the facts before they were planned", checked.applied, doc.Tone.PLAIN),
        _part("Vouched for", checked.vouched, doc.Tone.GOOD),
        _part("Not vouched for", checked.unvouched, doc.Tone.DOUBTFUL),
        _part("Taken as the run tells it, not derived again", checked.as_told, doc.Tone.PLAIN),
        doc.apart(*map(doc.sentence, [*said, checked.proves_not])),
    )


def _part(title: str, texts: Sequence[str], tone: doc.Tone) -> doc.Section | None:
    return doc.section_if_any(title, doc.notes(texts), tone=tone)


def answer(checked: RunCheck) -> str:
    """Return the result of a check in one line, with its case."""
    return f"{checked.case}: {result_of(checked)}"


def result_of(checked: RunCheck) -> str:
    """Return the result of a check in one line."""
    facts = len(checked.unvouched)
    if checked.findings:
        return f"VERIFICATION FAILED, {count(len(checked.findings), 'finding')}"
    if checked.unchecked:
        rules = count(len(checked.unchecked), "rule")
        return f"its purchases follow from its facts; {rules} left unverified, and with them what the run comes to"
    if facts:
        whole = len(checked.vouched) + facts
        told = f"{facts:,} of {whole:,} parts of the facts {'is' if facts == 1 else 'are'} not vouched for"
        return f"verified from its own facts; {told}{_optimal(checked)}"
    return f"verified; its facts are those of the case and of what is installed here{_optimal(checked)}"


def _optimal(checked: RunCheck) -> str:
    return "" if checked.optimality_proved else "; that it is as good as it says is not proved"


def _verdict(checked: RunCheck) -> doc.Sentence:
    sure = checked.optimality_proved and not checked.unchecked
    tone = doc.Tone.BAD if checked.findings else doc.Tone.GOOD if sure else doc.Tone.DOUBTFUL
    return doc.sentence(answer(checked), tone=tone, strong=True)
