"""The question `dossier`: a form for an authority, made from a case or from a run as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from friendshore.case import load_case
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.questions import Question, Setting
from friendshore.questions.base import options_of, question_named
from friendshore.recommend.describe import describe
from friendshore.recommend.gather import gather
from friendshore.recommend.law import verdicts
from friendshore.recommend.reopen import is_run
from friendshore.run import read_run

from . import analysis, assessment, magnets, orders
from .forms import FORM_NAMES, Form, FormFacts, FormName, Value, form_document, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .forms import FormSection


class FormKind(NamedTuple):
    """A form, the provision that asks for it, the limits of its claims, and a function that returns its summary and pages."""

    title: str
    basis: str
    limits: tuple[str, ...]
    sections: Callable[[FormFacts], tuple[str, list[FormSection]]]


FORMS: Mapping[FormName, FormKind] = {
    "analysis": FormKind("Analysis of alternatives", analysis.BASIS, analysis.LIMITS, analysis.sections),
    "magnets": FormKind("Origin of magnets", magnets.BASIS, magnets.LIMITS, magnets.sections),
    "assessment": FormKind("Strategic raw materials", assessment.BASIS, assessment.LIMITS, assessment.sections),
    "orders": FormKind("Order dossier", orders.BASIS, orders.LIMITS, orders.sections),
}


def make_form(name: FormName, facts: FormFacts) -> Form:
    """Return a form. The same facts and answers give the same form."""
    kind = FORMS[name]
    summary, sections = kind.sections(facts)
    run = facts.run
    return Form(
        form=name, title=f"{kind.title}: {run.title or run.case}", basis=kind.basis, case=run.case, planned_on=run.planned_on,
        currency=run.currency, summary=summary, sections=(*sections, *facts.documents()), limits=kind.limits,
        solved=tuple(facts.solved_figures.values()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DossierOptions:
    """Options of the question."""

    form: Annotated[
        str,
        Setting(
            "Form: `analysis` of alternatives (DFARS 225.7018-4), origin of `magnets` (FY2023 NDAA section 857), EU `assessment` (CRMA Article "
            "24), or `orders`, a page for each purchase.",
            "NAME",
        ),
    ]
    keep: Annotated[
        bool,
        Setting("Also write the form into the run folder, where `verify` checks it and `sign` signs it.", served=False),
    ] = False


class MadeForm(NamedTuple):
    """A form, and the files of the run folder that contain it."""

    form: Form
    files: tuple[Path, ...] = ()


class DossierQuestion(Question[DossierOptions, MadeForm]):
    """A form for an authority, with the proof of every row: a command that shows the figure, a document, or a clause.

    A form of a run takes the plan as it was written. What isn't known is marked as unknown, with the inquiry to make.
    """

    name = "dossier"
    options = DossierOptions

    def check(self, options: DossierOptions) -> None:
        if options.form not in FORM_NAMES:
            fix, expected = f"write `--form {FORM_NAMES[0]}`", ", ".join(FORM_NAMES)
            raise InputError("unknown form", "", None, "form", options.form, expected, fix, "FS996")

    def ask(self, opened: Opened, options: DossierOptions, progress: Progress | None) -> MadeForm:
        name = next(name for name in FORM_NAMES if name == options.form)
        registry, path = opened.registry or Registry.discover(), str(opened.path)
        applied = opened.applied
        if is_run(opened.path) and (applied.scenario or applied.changes or applied.strict):
            found, fix = "scenarios, changes, or --strict", "plan the case with them into another run"
            raise InputError("a form of a run takes the run as it is", path, None, "", found, "", fix, "FS997")
        if options.keep and not is_run(opened.path):
            expected, fix = "a folder written by `plan --out`", "plan the case with `--out RUN`, then use RUN"
            raise InputError("only a run folder can keep a form", path, None, "", "", expected, fix, "FS997")
        form = make_form(name, _facts(opened, registry, progress))
        if not options.keep:
            return MadeForm(form)
        from .checks import keep_form

        return MadeForm(form, keep_form(opened.path, form, registry))

    def document(self, result: MadeForm, options: DossierOptions) -> Document:
        return form_document(result.form)

    def data(self, result: MadeForm, options: DossierOptions) -> dict[str, object]:
        return result.form.model_dump(mode="json")

    def notes(self, result: MadeForm) -> Sequence[str]:
        return [f"wrote {file}" for file in result.files]


def _facts(opened: Opened, registry: Registry, progress: Progress | None) -> FormFacts:
    @cache
    def data_of(command: str) -> dict[str, object]:
        """Return the answer of another question about the same plan."""
        name, *words = command.split(" ")
        question = question_named(registry, name)
        values: dict[str, object] = {}
        if words:
            argument = next((option.name for option in options_of(question) if option.setting.argument), "")
            values = {words[0][2:]: int(words[1])} if words[0].startswith("--") else {argument: words[0]}
        options = question.options(**values)
        return question.data(question.ask(opened, options, progress), options)

    def answers(command: str, at: str) -> Value:
        return value_at(data_of(command), at)

    if is_run(opened.path):
        return FormFacts.of_stored(read_run(opened.path), opened.session.problem, answers)
    run = describe(opened.session, gather(load_case(opened.path), registry), opened.applied, progress)
    data = run.model_dump(mode="json", by_alias=True)
    return FormFacts(run, data, opened.session.problem, lambda: verdicts(opened.session.verified), answers)
