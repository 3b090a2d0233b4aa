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
from friendshore.cli.catalogs import read_one
from friendshore.cli.options import AsJson, Blocked, Quiet, installed
from friendshore.cli.output import answer, bare, wrote
from friendshore.cli.waiting import progress_bar
from friendshore.document import elements as doc
from friendshore.document.figures import count
from friendshore.domain.base import grouped
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.plugins.manifest import normal
from friendshore.report.checks import problem_data, problem_lines

from .check import Outcome, outcomes_of
from .scaffold import OWN, Scaffold, catalog_files
from .subjects import checks_of


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its distribution, such as friendshore-acme.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there. Default: ./NAME."),
    ] = None,
    catalog: Annotated[bool, typer.Option("--catalog", help="Only a catalog, of invented suppliers.")] = False,
    rule: Annotated[bool, typer.Option("--rule", help="Only a kind of rule.")] = False,
    pack: Annotated[bool, typer.Option("--pack", help="Only a rule pack: law as data, with worked examples.")] = False,
    question: Annotated[
        bool, typer.Option("--question", help="Only a question: a command that is asked of a plan.")
    ] = False,
    reader: Annotated[bool, typer.Option("--reader", help="Only a reader of a format of its own.")] = False,
    command: Annotated[bool, typer.Option("--command", help="Only a command.")] = False,
    output: Annotated[bool, typer.Option("--format", help="Only an output format.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only a check of runs, which `verify` makes.")] = False,
    case_format: Annotated[bool, typer.Option("--case-format", help="Only a format of cases.")] = False,
    given: Annotated[
        str,
        typer.Option(
            "--from", metavar="CATALOG", help="A catalog of yours to ship, a folder or a workbook; no code is written."
        ),
    ] = "",
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a project that installs, type-checks, and passes its own tests: a catalog and a rule kind, or the requested parts.

    Overwrites nothing.
    """
    asked = {
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
    parts = frozenset(part for part, wanted in asked.items() if wanted)
    target = Path(name) if folder is None else folder
    written = write_new(target, _scaffold(name, parts, given, target, installed(block)).contents())
    wrote(as_json, written)
    if as_json:
        return 0
    project = quote(str(target))
    # Not `--group dev`: the pip of a new environment of Python 3.11 does not know it.
    bare(f"now: pip install --editable {project} {OWN}-testing mypy pytest")
    bare(f"then: pytest {project}; {target / 'README.md'} says more")
    return 0


def _scaffold(name: str, parts: frozenset[str], given: str, target: Path, registry: Registry) -> Scaffold:
    """Return the scaffold of the requested parts, by default a catalog and a rule kind.

    Raises:
        InputError: If the name can't be used, the target exists, or the given catalog has an error.
    """
    asked = Scaffold(name, parts) if parts or given else Scaffold(name)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name another folder, or one that is empty"
        if (target / "catalog.toml").is_file():
            fix = f"to ship this catalog: friendshore plugins new {name} --from {target}"
        raise InputError("is there already, and is left as it is", str(target), fix=fix)
    if given:
        return _shipping(asked, given, registry)
    for sort, brought in asked.brings:
        owner = registry.names(sort).get(brought, "")
        if owner and normal(owner.split()[0]) != normal(name):
            message = f"its {sort} would be called `{brought}`, as one that {owner} brings"
            raise InputError(message, column="NAME", found=f"`{name}`", fix="choose another name")
    return asked


def _shipping(asked: Scaffold, given: str, registry: Registry) -> Scaffold:
    """Return the scaffold with a catalog of the user.

    Raises:
        InputError: With its errors. Also if it is already shipped, or needs an installed plugin with the name of the new one.
    """
    read, place = read_one(given, registry)
    if read.distribution:
        message = f"catalog `{read.name}` is shipped already, by {read.distribution}"
        fix = (
            f"friendshore catalogs convert {read.name} FOLDER, give it a name of its own in catalog.toml, and ship that"
        )
        raise InputError(message, column="--from", found=f"`{given}`", fix=fix)
    texts = texts_of(place, registry.fact_columns)
    owners = {registry.catalogs.get(required, OWN).split()[0] for required in read.requires} | texts.declarers
    if any(normal(owner) == normal(asked.name) for owner in owners):
        message = f"would take the place of the installed {asked.name}, which catalog `{read.name}` rests on"
        raise InputError(message, column="NAME", found=f"`{asked.name}`", fix="choose another name")
    needs = [(owner, registry.named(owner)[0].version) for owner in sorted(owners - {OWN})]
    given_files = catalog_files(place, texts)
    return replace(
        asked, parts=asked.parts | {"catalog"}, given=given_files, given_name=read.name, needs=tuple(filter(all, needs))
    )


def check(
    subjects: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="An installed plugin; the wheel of one; or a folder of a plugin, a catalog (or its workbook) or a rule pack. May repeat.",
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
    return 0 if all(outcome.holds for outcome in outcomes) else 3


MOST_FINDINGS = 5
"""Maximum number of findings shown for a check."""


def conformance_data(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the checks as JSON-ready data."""
    return {
        "ok": all(outcome.holds for outcome in outcomes),
        "checks": [
            {
                "subject": outcome.check.subject,
                "check": outcome.check.name,
                "says": outcome.check.says,
                "result": _result(outcome),
                **({"left_out": outcome.left_out} if outcome.left_out else {}),
                "found": [problem_data(problem) for problem in outcome.found],
            }
            for outcome in outcomes
        ],
    }


def conformance_document(outcomes: Sequence[Outcome], here: Path | None = None) -> doc.Document:
    """Return the number of passed checks by subject, then the errors, then the notes. Files below `here` have relative paths."""
    mistakes = [_told(outcome, here) for outcome in outcomes if not outcome.holds]
    worth = [_told(outcome, here) for outcome in outcomes if outcome.holds and outcome.found]
    left = [outcome for outcome in outcomes if outcome.left_out]
    return doc.document(
        "Conformance",
        _conforming(outcomes),
        doc.apart(_summary(outcomes)),
        doc.section_if_any("Mistakes", *mistakes, tone=doc.Tone.BAD),
        doc.section_if_any("Worth knowing", *worth, tone=doc.Tone.DOUBTFUL),
        doc.section("Not looked at", doc.Verbatim(tuple(_left_out(left))), tone=doc.Tone.PLAIN) if left else None,
    )


def _result(outcome: Outcome) -> str:
    if outcome.left_out:
        return "left out"
    if not outcome.found:
        return "holds"
    return "note" if outcome.check.note else "mistake"


def _conforming(outcomes: Sequence[Outcome]) -> doc.Sentence:
    mistakes = sum(len(outcome.found) for outcome in outcomes if not outcome.holds)
    if mistakes:
        text = f"does not conform: {count(mistakes, 'mistake')} in {count(len(outcomes), 'check')}"
        return doc.sentence(text, tone=doc.Tone.BAD, strong=True)
    return doc.sentence(f"conforms: no mistake in {count(len(outcomes), 'check')}", tone=doc.Tone.GOOD, strong=True)


def _summary(outcomes: Sequence[Outcome]) -> doc.DataTable:
    """Return a table with the results of each subject's checks."""
    rows: list[list[doc.Cell]] = []
    for subject in dict.fromkeys(outcome.check.subject for outcome in outcomes):
        results = [_result(outcome) for outcome in outcomes if outcome.check.subject == subject]
        numbers = [results.count(word) for word in ("holds", "mistake", "note", "left out")]
        rows.append([subject, *(doc.Count(number) if number else doc.NOTHING for number in numbers)])
    return doc.table([doc.Column("Checked"), *map(doc.figures, ("Hold", "Fail", "Notes", "Left out"))], rows)


def _told(outcome: Outcome, here: Path | None) -> doc.Section:
    check = outcome.check
    lines = [f"{check.subject}, {check.name}: {check.says}"]
    lines += [f"  {line}" for line in problem_lines(_from(here, problem) for problem in outcome.found[:MOST_FINDINGS])]
    if len(outcome.found) > MOST_FINDINGS:
        lines.append(f"  and {len(outcome.found) - MOST_FINDINGS} more: all with --json")
    return doc.apart(doc.Verbatim(tuple(lines)))


def _from(here: Path | None, problem: Diagnostic) -> Diagnostic:
    """Return a problem with its file relative to a folder, if the file is in it."""
    file = Path(problem.file)
    if here is None or not file.is_absolute() or not file.is_relative_to(here):
        return problem
    return replace(problem, file=str(file.relative_to(here)))


def _left_out(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the skipped checks, grouped by reason."""
    together = grouped(((outcome.check.subject, outcome.left_out), outcome.check.name) for outcome in outcomes)
    return [f"{subject}: {', '.join(names)} ({reason})" for (subject, reason), names in together.items()]
