"""The commands `plugins new` and `plugins check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from friendshore.catalog.convert import texts_of
from friendshore.cli.cases import write_new
from friendshore.cli.catalogs import read_catalog
from friendshore.cli.options import AsJson, Blocked, Quiet, installed
from friendshore.cli.output import answer, bare, wrote
from friendshore.cli.waiting import progress_bar
from friendshore.document import elements as doc
from friendshore.document.figures import count
from friendshore.domain.base import grouped
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.plugins.manifest import normalized_name
from friendshore.report.checks import problem_data, problem_lines

from .check import Outcome, outcomes_of
from .scaffold import CORE, Scaffold, catalog_files
from .subjects import checks_of


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the distribution, such as friendshore-acme.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Folder to write to, created if missing. Default: ./NAME."),
    ] = None,
    catalog: Annotated[bool, typer.Option("--catalog", help="Only a catalog with invented suppliers.")] = False,
    rule: Annotated[bool, typer.Option("--rule", help="Only a kind of rule.")] = False,
    pack: Annotated[bool, typer.Option("--pack", help="Only a rule pack: law as data, with worked examples.")] = False,
    question: Annotated[bool, typer.Option("--question", help="Only a question: a command about a plan.")] = False,
    reader: Annotated[bool, typer.Option("--reader", help="Only a reader of another file format.")] = False,
    command: Annotated[bool, typer.Option("--command", help="Only a command.")] = False,
    output: Annotated[bool, typer.Option("--format", help="Only an output format.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only a check of runs, which `verify` performs.")] = False,
    case_format: Annotated[bool, typer.Option("--case-format", help="Only a format of cases.")] = False,
    from_catalog: Annotated[
        str,
        typer.Option(
            "--from", metavar="CATALOG", help="Your catalog to package: a folder or a workbook. Writes no code."
        ),
    ] = "",
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a project that installs, type-checks, and passes its own tests: a catalog and a rule kind, or the requested parts.

    Overwrites nothing.
    """
    requested = {
        "catalog": catalog,
        "pack": pack,
        "rule": rule,
        "question": question,
        "reader": reader,
        "command": command,
        "format": output,
        "check": check,
        "case-format": case_format,
    }
    parts = frozenset(part for part, is_requested in requested.items() if is_requested)
    target = Path(name) if folder is None else folder
    written = write_new(target, _scaffold(name, parts, from_catalog, target, installed(block)).contents())
    wrote(as_json, written)
    if as_json:
        return 0
    project = quote(str(target))
    # Not `--group dev`, which the pip of a new Python 3.11 environment doesn't know.
    bare(f"next: pip install --editable {project} {CORE}-testing mypy pytest")
    bare(f"then: pytest {project} (see {target / 'README.md'})")
    return 0


def _scaffold(name: str, parts: frozenset[str], from_catalog: str, target: Path, registry: Registry) -> Scaffold:
    scaffold = Scaffold(name, parts) if parts or from_catalog else Scaffold(name)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name another folder, or an empty one"
        if (target / "catalog.toml").is_file():
            fix = f"to package this catalog: friendshore plugins new {name} --from {target}"
        raise InputError("the folder exists already and isn't changed", str(target), fix=fix, code="FS080")
    if from_catalog:
        return _with_catalog(scaffold, from_catalog, registry)
    for kind, part_name in scaffold.named_parts:
        owner = registry.names(kind).get(part_name, "")
        if owner and normalized_name(owner.split()[0]) != normalized_name(name):
            message = f"its {kind} would have the name `{part_name}`, like one from {owner}"
            raise InputError(message, column="NAME", found=f"`{name}`", fix="choose another name", code="FS959")
    return scaffold


def _with_catalog(scaffold: Scaffold, from_catalog: str, registry: Registry) -> Scaffold:
    """Return the scaffold with a catalog of the user. Raises InputError if the catalog has an error, or the plugin would replace one that it needs."""
    catalog, place = read_catalog(from_catalog, registry)
    if catalog.distribution:
        message = f"catalog `{catalog.name}` is already in a plugin, {catalog.distribution}"
        fix = f"friendshore catalogs convert {catalog.name} FOLDER, rename it in FOLDER/catalog.toml, and package that"
        raise InputError(message, column="--from", found=f"`{from_catalog}`", fix=fix, code="FS959")
    texts = texts_of(place, registry.fact_columns)
    owners = {registry.catalogs.get(required, CORE).split()[0] for required in catalog.requires} | texts.declarers
    if any(normalized_name(owner) == normalized_name(scaffold.name) for owner in owners):
        message = f"the plugin would replace the installed {scaffold.name}, which catalog `{catalog.name}` needs"
        raise InputError(message, column="NAME", found=f"`{scaffold.name}`", fix="choose another name", code="FS959")
    required_versions = [(owner, registry.named(owner)[0].version) for owner in sorted(owners - {CORE})]
    files_by_name = catalog_files(place, texts)
    return replace(
        scaffold,
        parts=scaffold.parts | {"catalog"},
        catalog_files=files_by_name,
        catalog_name=catalog.name,
        required_versions=tuple(filter(all, required_versions)),
    )


def check(
    subjects: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="An installed plugin, the wheel of one, or the folder of a plugin, catalog (or its workbook), or rule pack. May repeat.",
        ),
    ],
    block: Blocked = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Check a plugin, a catalog, or a rule pack against the conformance kit, and list the checks and findings.

    This runs the plugin's code. Exits with code 3 if there are errors.
    """
    registry = installed(block)
    with progress_bar(quiet, "checking", "checks") as progress:
        outcomes = outcomes_of([check for subject in subjects for check in checks_of(subject, registry)], progress)
    answer(as_json, lambda: conformance_data(outcomes), lambda: conformance_document(outcomes, Path.cwd()))
    return 0 if all(outcome.passed for outcome in outcomes) else 3


MAX_FINDINGS = 5


def conformance_data(outcomes: Sequence[Outcome]) -> dict[str, object]:
    return {
        "ok": all(outcome.passed for outcome in outcomes),
        "checks": [
            {
                "subject": outcome.check.subject,
                "check": outcome.check.name,
                "statement": outcome.check.requirement,
                "result": _result(outcome),
                **({"skipped_because": outcome.skip_reason} if outcome.skip_reason else {}),
                "problems": [problem_data(problem) for problem in outcome.problems],
            }
            for outcome in outcomes
        ],
    }


def conformance_document(outcomes: Sequence[Outcome], here: Path | None = None) -> doc.Document:
    """Return the number of passed checks by subject, then the errors, then the notes. Files below `here` have relative paths."""
    error_sections = [_finding_section(outcome, here) for outcome in outcomes if not outcome.passed]
    note_sections = [_finding_section(outcome, here) for outcome in outcomes if outcome.passed and outcome.problems]
    skipped = [outcome for outcome in outcomes if outcome.skip_reason]
    return doc.document(
        "Conformance",
        _result_sentence(outcomes),
        doc.apart(_summary_table(outcomes)),
        doc.section_if_any("Errors", *error_sections, tone=doc.Tone.BAD),
        doc.section_if_any("Notes", *note_sections, tone=doc.Tone.DOUBTFUL),
        doc.section("Skipped checks", doc.Verbatim(tuple(_skipped_lines(skipped))), tone=doc.Tone.PLAIN)
        if skipped
        else None,
    )


def _result(outcome: Outcome) -> str:
    if outcome.skip_reason:
        return "left out"
    if not outcome.problems:
        return "holds"
    return "note" if outcome.check.note else "mistake"


def _result_sentence(outcomes: Sequence[Outcome]) -> doc.Sentence:
    errors = sum(len(outcome.problems) for outcome in outcomes if not outcome.passed)
    if errors:
        text = f"doesn't conform: {count(errors, 'error')} in {count(len(outcomes), 'check')}"
        return doc.sentence(text, tone=doc.Tone.BAD, strong=True)
    return doc.sentence(f"conforms: no errors in {count(len(outcomes), 'check')}", tone=doc.Tone.GOOD, strong=True)


def _summary_table(outcomes: Sequence[Outcome]) -> doc.DataTable:
    rows: list[list[doc.Cell]] = []
    for subject in dict.fromkeys(outcome.check.subject for outcome in outcomes):
        results = [_result(outcome) for outcome in outcomes if outcome.check.subject == subject]
        numbers = [results.count(word) for word in ("holds", "mistake", "note", "left out")]
        rows.append([subject, *(doc.Count(number) if number else doc.NOTHING for number in numbers)])
    return doc.table([doc.Column("Subject"), *map(doc.figures, ("Passed", "Failed", "Notes", "Skipped"))], rows)


def _finding_section(outcome: Outcome, here: Path | None) -> doc.Section:
    check = outcome.check
    lines = [f"{check.subject}, {check.name}: {check.requirement}"]
    lines += [
        f"  {line}"
        for line in problem_lines(_with_relative_file(here, problem) for problem in outcome.problems[:MAX_FINDINGS])
    ]
    if len(outcome.problems) > MAX_FINDINGS:
        lines.append(f"  and {len(outcome.problems) - MAX_FINDINGS} more (--json shows all)")
    return doc.apart(doc.Verbatim(tuple(lines)))


def _with_relative_file(folder: Path | None, problem: Diagnostic) -> Diagnostic:
    file = Path(problem.file)
    if folder is None or not file.is_absolute() or not file.is_relative_to(folder):
        return problem
    return replace(problem, file=str(file.relative_to(folder)))


def _skipped_lines(outcomes: Sequence[Outcome]) -> list[str]:
    names_by_reason = grouped(
        ((outcome.check.subject, outcome.skip_reason), outcome.check.name) for outcome in outcomes
    )
    return [f"{subject}: {', '.join(names)} ({reason})" for (subject, reason), names in names_by_reason.items()]
