"""Forms in a run folder: how they are kept there, and how `verify` checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from friendshore.document.figures import count
from friendshore.domain.base import grouped
from friendshore.domain.differences import differences
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.reading.records import path_of, record, shown
from friendshore.reading.textfile import read_bytes, read_object
from friendshore.recommend import CheckAnswer, CheckRequest, RunChecker
from friendshore.report.formats import format_named, format_names, rendered
from friendshore.run import add_to_run, json_text, read_sums

from .dossier import make_form
from .forms import FORM_NAMES, Form, FormFacts, FormName, form_document

_ENDINGS = ("json", "html", "xlsx")
"""Endings of the files of a form: its data, and its pages."""
_MAX_FINDINGS = 20
"""Findings per form. More would repeat the same edit."""


def _files_of(name: FormName) -> list[str]:
    return [f"form-{name}.{ending}" for ending in _ENDINGS]


def keep_form(folder: Path, form: Form, registry: Registry) -> tuple[Path, ...]:
    """Write a form into a run folder as data and pages, and return the files."""
    contents = _contents(form, registry)
    add_to_run(folder, contents)
    return tuple(folder / name for name in contents)


def _contents(form: Form, registry: Registry) -> dict[str, bytes]:
    """Return file -> content: the data of a form, and a page in each installed format."""
    data_file, *pages = _files_of(form.form)
    contents = {data_file: json_text(form.model_dump(mode="json")).encode()}
    for file in pages:
        ending = file.rpartition(".")[2]
        if ending in format_names(registry):
            contents[file] = rendered(form_document(form), format_named(ending, registry), file)
    return contents


class FormCheck(RunChecker):
    """Check of the forms in a run folder: each is made again from the run's facts and compared."""

    name = "forms"
    files = tuple(file for name in FORM_NAMES for file in _files_of(name))

    def check(self, request: CheckRequest) -> CheckAnswer:
        checks = [check for name in FORM_NAMES if (check := _FormCheck(request, name)).files]
        if not checks:
            return CheckAnswer()
        names = ", ".join(check.name for check in checks)
        if request.verified is None or request.findings:
            return CheckAnswer(unvouched=(f"forms: {names}; not checked, since the run isn't verified",))
        findings = tuple(finding for check in checks for finding in check.findings())
        unvouched = tuple(line for check in checks for line in check.unvouched)
        text = f"forms: {names}; {'not all follow' if findings else 'each follows'} from the run"
        return CheckAnswer(findings, unvouched=unvouched, sentences=(text,), data={"forms": text})


class _FormCheck:
    def __init__(self, request: CheckRequest, name: FormName) -> None:
        self.request, self.name, self.folder = request, name, request.stored.folder
        self.files = [file for file in _files_of(name) if (self.folder / file).exists()]
        self.unvouched: list[str] = []

    def findings(self) -> list[Diagnostic]:
        """Return the findings, and collect what can't be checked."""
        sums = read_sums(self.folder) or {}
        unlisted = [self._finding(file, "isn't listed in SHA256SUMS") for file in self.files if file not in sums]
        data_file, *_ = _files_of(self.name)
        if data_file not in self.files:
            return [*unlisted, self._finding(self.files[0], f"has no {data_file}, so that it can't be checked")]
        path = self.folder / data_file
        try:
            data = read_object(path, "make the form again")
            form = record(Form, data, str(path))
        except FriendshoreError as error:
            return [*unlisted, *(self._finding(data_file, str(problem)) for problem in error.problems)]
        found = list(self._differences(form, data, data_file))[:_MAX_FINDINGS]
        for question, figures in grouped((figure.command.partition(" ")[0], figure) for figure in form.solved).items():
            self.unvouched.append(
                f"{count(len(figures), 'figure')} of `{question}` in {data_file}. Its further plans aren't made again"
            )
        # Data that the run doesn't give may be impossible to draw.
        return [*unlisted, *(found or self._differing_pages(form))]

    def _finding(self, file: str, message: str, column: str = "", found: str = "", expected: str = "") -> Diagnostic:
        fix = f"make the form again: `friendshore dossier RUN --form {self.name} --keep`"
        return Diagnostic(message, str(self.folder / file), None, column, found, expected, fix, "FS999")

    def _differences(self, form: Form, data: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
        assert self.request.verified is not None
        solved = {(figure.command, figure.at): figure.value for figure in form.solved}
        problem = self.request.verified.problem
        facts = FormFacts.of_stored(self.request.stored, problem, lambda command, at: solved[command, at])
        if form.form != self.name:
            yield self._finding(file, "is another form than its name says", "form", form.form, self.name)
            return
        try:
            expected = make_form(self.name, facts).model_dump(mode="json")
        except (LookupError, ValueError, ArithmeticError) as error:
            yield self._finding(file, "lacks a figure that it needs, or has an impossible one", "solved", str(error))
            return
        for at, found, wanted in differences(data, expected):
            yield self._finding(file, "isn't what the run gives", path_of(at), shown(found), shown(wanted))

    def _differing_pages(self, form: Form) -> Iterator[Diagnostic]:
        """Yield pages that aren't made from the data. Another version may draw them differently, so they are then listed as unchecked."""
        same_version = self.request.stored.run.versions.get("friendshore") == version("friendshore")
        drawn = _contents(form, self.request.registry) if same_version else {}
        for file in self.files[1:]:
            if file not in drawn:
                self.unvouched.append(
                    f"{file}: not compared with its data, since this installation draws it differently"
                )
            elif drawn[file] != read_bytes(self.folder / file):
                yield self._finding(file, "isn't the page that its data give")
