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
    return {name: value for name, value in asdict(problem).items() if value not in ("", None)}


def errors_data(error: FriendshoreError) -> dict[str, object]:
    return {"errors": [problem_data(problem) for problem in error.problems]}


_MAX_ROWS = 12


def problem_lines(problems: Iterable[Diagnostic]) -> list[str]:
    """Return errors as text. An error with the same words in several places appears once, with the other places."""
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


def problem_document(problems: Iterable[Diagnostic]) -> doc.Document:
    """Return errors for a terminal. A value that the message has already is not repeated."""
    first, *others = [tuple(_problem_parts(*causes)) for causes in by_cause(problems)]
    return doc.document("", *first, *(doc.apart(*parts) for parts in others))


def _problem_parts(problem: Diagnostic, *others: Diagnostic) -> Iterator[doc.Element]:
    phrases: list[str | doc.Phrase] = [doc.Phrase("error: ", doc.Tone.BAD, strong=True)]
    if problem.place:
        phrases.append(doc.Phrase(f"{problem.place}: ", strong=True))
    yield doc.Sentence((*phrases, f"{problem.code} {problem.message}".strip()))
    found = "" if problem.found.strip("`") in problem.message else problem.found
    details = (("found", found), ("expected", problem.expected), ("fix", problem.fix), ("also", _places(others)))
    yield from (
        doc.Sentence((doc.Phrase(f"  {name + ':':<10}", doc.Tone.ASIDE), text)) for name, text in details if text
    )


def by_cause(problems: Iterable[Diagnostic]) -> list[list[Diagnostic]]:
    """Return errors, grouped by words and value, since many rows may name one missing id."""
    causes: dict[object, list[Diagnostic]] = {}
    for problem in problems:
        content = (problem.message, problem.found, problem.expected, problem.fix)
        only_here = not problem.found or problem.row is None
        causes.setdefault((content, problem.file, problem.column) if only_here else content, []).append(problem)
    return list(causes.values())


def _places(others: Iterable[Diagnostic]) -> str:
    places = []
    for (file, column), rows in grouped(
        ((problem.file, problem.column), str(problem.row)) for problem in others
    ).items():
        number_left = len(rows) - _MAX_ROWS
        row_texts = ", ".join(rows[:_MAX_ROWS]) + (f" and {number_left} more" if number_left > 0 else "")
        places.append(f"{file}:{row_texts}" + (f" [{column}]" if column else ""))
    return "; ".join(places)


if TYPE_CHECKING:  # a list of plugins needs no solver
    from ..recommend import Checked, RunCheck


def check_data(checked: Checked, day: date | None = None) -> dict[str, object]:
    limit = checked.oldest_price_days
    return {
        "ok": not checked.errors,
        "errors": [problem_data(problem) for problem in checked.errors],
        "suggestions": [problem_data(problem) for problem in checked.suggestions],
        "data": [
            {"kind": dataset.kind, "name": dataset.name, "as_of": str(dataset.as_of or "")} for dataset in checked.data
        ],
        "changed_rules": list(map(str, rule_changes_since_review(checked.law, checked.data, day))),
        **({} if limit is None else {"oldest_price_days": limit, "old_prices": _old_prices(checked, day)}),
    }


def check_document(checked: Checked, day: date | None = None) -> doc.Document:
    """Return the age of the data on the day and the suggestions, or the number of errors, which go to stderr."""
    if checked.errors:
        causes = len(by_cause(checked.errors))
        places = f" in {len(checked.errors)} places" if len(checked.errors) > causes else ""
        result = doc.sentence(count(causes, "error") + places, tone=doc.Tone.BAD, strong=True)
        return doc.document("Check", result)
    head = (doc.sentence("no errors", tone=doc.Tone.GOOD, strong=True), *_ages(checked, day))
    if not checked.suggestions:
        return doc.document("Check", *head)
    title = count(len(checked.suggestions), "suggestion")
    return doc.document(
        "Check", *head, doc.section(title, doc.notes(map(_suggestion, checked.suggestions)), tone=doc.Tone.PLAIN)
    )


def _ages(checked: Checked, day: date | None) -> Iterator[doc.Element | None]:
    by_age = grouped((aged(dataset.as_of, day), f"{dataset.kind} {dataset.name}") for dataset in checked.data)
    yield doc.notes(f"{', '.join(names)}, {age}" for age, names in by_age.items())
    if old := [f"{dataset.kind} {dataset.name}" for dataset in checked.data if is_stale(dataset.as_of, day)]:
        yield doc.sentence(f"last reviewed more than {STALE.days} days ago: {', '.join(old)}", tone=doc.Tone.DOUBTFUL)
    if turned := list(map(str, rule_changes_since_review(checked.law, checked.data, day))):
        yield doc.section(
            "Rules whose status changed after their last review",
            doc.notes(turned, doc.Tone.DOUBTFUL),
            tone=doc.Tone.DOUBTFUL,
        )
    if old_prices := stale_in_check(checked.old_prices(day), checked.oldest_price_days, len(checked.prices), day):
        yield doc.sentence(old_prices, tone=doc.Tone.DOUBTFUL)


def _old_prices(checked: Checked, day: date | None) -> list[dict[str, object]]:
    """Return the stale prices, each with its age in days. The age is null for a price without a date."""
    ages = ((price, None if day is None else price.age(day)) for price in checked.old_prices(day))
    return [{**price.model_dump(mode="json"), "age": age} for price, age in ages]


def _suggestion(problem: Diagnostic) -> str:
    place = problem.file
    if place and problem.row:
        place += f":{problem.row}" + (f" [{problem.column}]" if problem.column else "")
    return (f"{place}: " if place else "") + problem.message + (f" ({problem.fix})" if problem.fix else "")


def run_check_data(checked: RunCheck) -> dict[str, object]:
    return {
        "case": checked.case,
        "verified": checked.verified,
        "answer": answer(checked),
        "differences": list(checked.differs),
        "findings": [problem_data(problem) for problem in checked.findings],
        "unverified": [problem_data(problem) for problem in checked.unchecked],
        "vouched_for": list(checked.vouched),
        "not_vouched_for": list(checked.unvouched),
        "applied": list(checked.applied),
        "relaxed": list(checked.relaxed),
        "taken_from_run": list(checked.as_told),
        "optimality": checked.sentences[0],
        "optimality_proved": checked.optimality_proved,
        **{key: value for checker_answer in checked.answers.values() for key, value in checker_answer.data.items()},
        "proves_not": checked.proves_not,
    }


def run_check_document(checked: RunCheck) -> doc.Document:
    unverified = doc.Verbatim(tuple(problem_lines(checked.unchecked))) if checked.unchecked else None
    proof_texts = [f"{text[:1].upper()}{text[1:]}." for text in checked.sentences]
    return doc.document(
        "Check of a run",
        _verdict(checked),
        _texts_section("Differences between this installation and the run's", checked.differs, doc.Tone.DOUBTFUL),
        doc.apart(doc.Verbatim(tuple(problem_lines(checked.findings)))) if checked.findings else None,
        doc.section_if_any("Not verified", unverified, tone=doc.Tone.DOUBTFUL),
        _texts_section("Changes applied to the facts before planning", checked.applied, doc.Tone.PLAIN),
        _texts_section("Hard limits that the plan doesn't keep", checked.relaxed, doc.Tone.BAD),
        _texts_section("Vouched for", checked.vouched, doc.Tone.GOOD),
        _texts_section("Not vouched for", checked.unvouched, doc.Tone.DOUBTFUL),
        _texts_section("Taken from the run without a check", checked.as_told, doc.Tone.PLAIN),
        doc.apart(*map(doc.sentence, [*proof_texts, checked.proves_not])),
    )


def _texts_section(title: str, texts: Sequence[str], tone: doc.Tone) -> doc.Section | None:
    return doc.section_if_any(title, doc.notes(texts), tone=tone)


def answer(checked: RunCheck) -> str:
    return f"{checked.case}: {result_of(checked)}"


def result_of(checked: RunCheck) -> str:
    facts = len(checked.unvouched)
    if checked.findings:
        return f"VERIFICATION FAILED, {count(len(checked.findings), 'finding')}"
    if checked.unchecked:
        rules = count(len(checked.unchecked), "rule")
        return f"its purchases follow from its facts; {rules} not verified, so the totals of the run aren't either"
    if facts:
        total = len(checked.vouched) + facts
        remark = f"{facts:,} of {total:,} parts of the facts {'is' if facts == 1 else 'are'} not vouched for"
        return f"verified from its own facts; {remark}{_optimal(checked)}"
    return f"verified; its facts agree with the case and with the installed data{_optimal(checked)}"


def _optimal(checked: RunCheck) -> str:
    relaxed = f"; {count(len(checked.relaxed), 'hard limit')} not kept" if checked.relaxed else ""
    return relaxed + ("" if checked.optimality_proved else "; its bound isn't proved")


def _verdict(checked: RunCheck) -> doc.Sentence:
    is_proved = checked.optimality_proved and not (checked.unchecked or checked.unvouched or checked.relaxed)
    tone = doc.Tone.BAD if checked.findings else doc.Tone.GOOD if is_proved else doc.Tone.DOUBTFUL
    return doc.sentence(answer(checked), tone=tone, strong=True)
