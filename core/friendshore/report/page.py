"""A run on one page, for decision makers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..document import elements as doc
from ..document.figures import large_money, percent
from ..domain.run import Run
from .cash import cash_sections, costs
from .caveats import conflict_section, not_advice, relaxed_section, warnings
from .checks import result_of
from .demand import demands, shortages, whole_periods
from .ground import rules, versions
from .headline import Headline, headline_of, run_title
from .mix import bought, dependence_line, dependence_section, holdings, mix, orders
from .plan import status_of, time_of

if TYPE_CHECKING:  # who prints a run that it has needs no solver
    from ..recommend import RunCheck

MAX_FINDINGS = 20


def page_document(run: Run, checked: RunCheck | None = None, answers: Sequence[doc.Document] = ()) -> doc.Document:
    """Return a run for decision makers. If it failed verification, the page has only the failures."""
    if checked is not None and checked.findings:
        return doc.document(run_title(run), *failure_parts(checked))
    return doc.document(
        run_title(run),
        *opening(run, checked),
        dependence_line(run),
        conflict_section(run),
        relaxed_section(run),
        warnings(run),
        demands(run),
        shortages(run),
        whole_periods(run),
        bought(run),
        mix(run),
        dependence_section(run),
        holdings(run),
        orders(run),
        costs(run),
        *cash_sections(run),
        rules(run),
        doc.section("Proof", doc.notes(proof(run, checked))),
        versions(run),
        *answer_sections(answers),
        not_advice(),
    )


def answer_sections(answers: Sequence[doc.Document]) -> Iterator[doc.Section]:
    return (doc.section(answer.title, *answer.parts) for answer in answers)


def page_headline(run: Run, checked: RunCheck | None) -> Headline:
    """Return the headline of a run for a page. `checked` is None if the run wasn't verified for it."""
    if checked is None:
        return headline_of(run, is_verified=False)
    return headline_of(
        run,
        is_verified=checked.verified,
        is_proved=checked.optimality_proved,
        has_failed=bool(checked.findings),
    )


def opening(run: Run, checked: RunCheck | None) -> list[doc.Sentence]:
    headline = page_headline(run, checked)
    words, tone = status_of(run)
    strict = ", rules of unknown status enforced" if run.strict else ""
    status = doc.Phrase(words, tone, strong=True)
    result = doc.sentence("The plan is ", status, f", gap {percent(run.gap)}{strict}.")
    if checked is None:
        verified = doc.sentence(
            doc.Phrase("Not verified", strong=True),
            " when this page was made: ",
            doc.Phrase("friendshore verify", code=True),
            " checks the run.",
        )
    else:
        outcome = doc.Phrase(result_of(checked), strong=True)
        verified = doc.sentence("Checked when this page was made: ", outcome, ".")
    return [
        doc.sentence(headline.text, strong=True),
        doc.sentence(f"{time_of(run)}, {headline.origin}"),
        verified,
        result,
    ]


def failure_parts(checked: RunCheck) -> Iterator[doc.Element | None]:
    failures = [str(problem) for problem in checked.findings[:MAX_FINDINGS]]
    if len(checked.findings) > MAX_FINDINGS:
        failures.append(f"and {len(checked.findings) - MAX_FINDINGS:,} more: `friendshore verify` lists them")
    warning = doc.Phrase("This run failed verification. Don't rely on it.", strong=True)
    yield doc.sentence(warning, " Its content isn't shown.")
    yield doc.section_if_any("Differences between this installation and the run's", doc.notes(checked.differs))
    yield doc.section("Findings", doc.notes(failures))


def proof(run: Run, checked: RunCheck | None) -> Iterator[str]:
    cost = run.cost
    bound, own = (large_money(money, run.currency) for money in (run.bound, run.objective))
    yield f"According to the solver, no plan has a lower objective than {bound}. This plan's is {own}."
    if cost.shortage:
        yield f"Of this, about {large_money(cost.shortage, run.currency)} is the shortage penalty, which isn't paid."
    if checked is None:
        yield "Not verified when this page was made."
    else:
        yield from (f"{text[:1].upper()}{text[1:]}." for text in checked.sentences)
        if checked.verified:
            yield "Every quantity, origin, verdict, and cost was derived again from the facts of the run, by code independent of the solver."
        yield from (f"Not verified: {problem.message}." for problem in checked.unchecked)
        yield from (f"This installation differs from the run's: {text}." for text in checked.differs)
        yield from (f"Not vouched for: {text}." for text in checked.unvouched)
        yield from (f"Taken from the run without a check: {text}." for text in checked.as_told)
        yield checked.proves_not
    yield from (f"Applied: {text}." for text in run.changes)
