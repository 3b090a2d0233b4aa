"""`friendshore plugins`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from .groups import Commands
from .options import AsJson, Blocked, Quiet, installed
from .output import answer, answering, bare, show, show_json, wrote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..plugins import PluginInfo, Registry
    from ..plugins.loading import Loaded
    from .scaffold import Scaffold

app = typer.Typer(cls=Commands, help="List, show and check plugins, and begin a new one.", no_args_is_help=True)


@app.command("list")
@answering
def list_(
    load: Annotated[
        bool, typer.Option("--load", help="Import each plugin in a process of its own, and tell time and error.")
    ] = False,
    limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="With --load: when an import is given up.")
    ] = 10.0,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """List all plugins, the broken ones too, without running any of them unless asked to."""
    from ..report import plugin_listing

    registry = installed(block)
    listing = plugin_listing(registry.plugins, _loaded(registry, registry.plugins, limit) if load else ())
    return answer(as_json, listing.data, listing.document)


@app.command("new", short_help="Write the project of a new plugin.")
@answering
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
    given: Annotated[
        str,
        typer.Option(
            "--from", metavar="CATALOG", help="A catalog of yours to ship, a folder or a workbook; no code is written."
        ),
    ] = "",
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a project that installs, type-checks and passes its own tests: a catalog and a kind of rule, or what is asked for.

    Overwrites nothing.
    """
    from .cases import write_new

    target = Path(name) if folder is None else folder
    written = write_new(
        target, _scaffold(name, (catalog, rule, pack, question, reader), given, target, installed(block)).files()
    )
    wrote(as_json, written)
    if as_json:
        return 0
    project = quote(str(target))
    # Not `--group dev`: the pip of a new environment of Python 3.11 does not know it.
    bare(f"now: pip install --editable {project} mypy pytest")
    bare(f"then: pytest {project}; {target / 'README.md'} says more")
    return 0


def _scaffold(
    name: str, parts: tuple[bool, bool, bool, bool, bool], given: str, target: Path, registry: Registry
) -> Scaffold:
    """What is asked for, of catalog, kind of rule, rule pack, question and reader: the first two if none is named.

    Raises:
        InputError: if the name will not do, the target is there, or the given catalog has a mistake.
    """
    from ..errors import InputError
    from ..plugins.manifest import normal
    from .scaffold import Scaffold

    catalog, rule, pack, question, reader = parts
    none = not any(parts)
    asked = Scaffold(name, rule=rule, catalog=catalog, pack=pack, question=question, reader=reader)
    plain = replace(asked, rule=rule or none, catalog=catalog or none)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name another folder, or one that is empty"
        if (target / "catalog.toml").is_file():
            fix = f"to ship this catalog: friendshore plugins new {name} --from {target}"
        raise InputError("is there already, and is left as it is", str(target), fix=fix)
    if not given:
        named = [("catalog", registry.catalogs)] * plain.catalog + [("rule pack", registry.packs)] * plain.pack
        named += [("reader", registry.readers)] * plain.reader
        for what, brought in named:
            owner = brought.get(plain.short, "")
            if not owner or normal(owner.split()[0]) == normal(name):
                continue
            message = f"its {what} would be called `{plain.short}`, as one that {owner} brings"
            raise InputError(message, column="NAME", found=f"`{name}`", fix="choose another name")
        return plain
    return _shipping(asked, given, registry)


def _shipping(asked: Scaffold, given: str, registry: Registry) -> Scaffold:
    """What is asked for, with a catalog of the user's.

    Raises:
        InputError: with its mistakes; or if it is shipped already, or rests on what an installed plugin of the same name brings.
    """
    from ..catalog.convert import texts_of
    from ..errors import InputError
    from ..plugins.manifest import normal
    from .catalogs import read_one
    from .scaffold import OWN, catalog_files

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
    return replace(asked, catalog=True, given=given_files, given_name=read.name, needs=tuple(filter(all, needs)))


@app.command("show")
@answering
def show_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Distribution, entry point or package.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Show what a plugin says of itself, without running it."""
    from ..report import plugin_data, plugin_document

    found = installed(block).named(name)
    if as_json:
        show_json({"plugins": [plugin_data(info) for info in found]})
    else:
        show(*(plugin_document(info) for info in found))
    return 0


@app.command("check", short_help="Check a plugin, catalog or rule pack against the conformance kit.")
@answering
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
    """Check a plugin, a catalog or a rule pack against the conformance kit: what was looked at, and what was found.

    The code of a plugin is run. Exit code 3 where a mistake is found.
    """
    from ..report import conformance_data, conformance_document
    from ..testing import checks_of, outcomes_of
    from .waiting import progress_bar

    registry = installed(block)
    with progress_bar(quiet, "checking", "checks") as progress:
        outcomes = outcomes_of([check for subject in subjects for check in checks_of(subject, registry)], progress)
    answer(as_json, lambda: conformance_data(outcomes), lambda: conformance_document(outcomes, Path.cwd()))
    return 0 if all(outcome.holds for outcome in outcomes) else 3


def _loaded(registry: Registry, plugins: Sequence[PluginInfo], limit: float) -> list[Loaded]:
    from ..plugins.loading import load_all

    entries = [(info, registry.code(info)) for info in plugins]
    return load_all([(info, entry) for info, entry in entries if entry is not None], limit)
