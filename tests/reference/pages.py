"""The reference pages and schemas, made from what is run itself.

`uv run python -m tests.reference.pages docs/reference` writes them; a test says when they are not current.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from tests.reference.schema import columns_of, files_page, schema_text, schemas
from typer.main import get_command

from friendshore.cli.app import app
from friendshore.cli.groups import announced_commands, own_questions, plugin_command
from friendshore.cli.options import EXIT_CODES
from friendshore.cli.questions import command_for
from friendshore.domain.run import Run
from friendshore.domain.written import keys, tables_within
from friendshore.rules.base import Rule
from friendshore.rules.kinds import builtin_kinds
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore.rules.pack import pack_layout
from friendshore.run import CERTIFICATE_FILE, FACTS_FILE, RUN_FILE, SIGNATURE_FILE, SUMS_FILE, TABLES, json_text
from friendshore_testing.vectors import Vector, VectorFile, VectorOffer, VectorUse

NAME = "friendshore"


def makers() -> dict[str, Callable[[], str]]:
    """Path below `docs/reference` -> what makes its text."""
    return {
        **{f"schemas/{name}.json": partial(schema_text, schema) for name, schema in schemas().items()},
        "files.md": files_page,
        "rules.md": lambda: "\n".join(_rules_page()) + "\n",
        "packs.md": lambda: "\n".join(_packs_page()) + "\n",
        "cli.md": lambda: "\n".join(_cli_page()) + "\n",
        "exit-codes.md": lambda: "\n".join(_exit_page()) + "\n",
        "run-folder.md": lambda: "\n".join(_run_page()) + "\n",
        "schemas/run.json": lambda: json_text(run_schema()),
    }


def run_schema() -> dict[str, Any]:
    """JSON schema of `run.json`, which is what `plan --json` prints."""
    schema = Run.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write(folder: Path) -> None:
    """Writes all pages."""
    for name, make in makers().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8", newline="\n")


def _rules_page() -> Iterator[str]:
    yield from (
        "# Kinds of rules",
        "",
        "This page is made from the kinds themselves. A rule is a `[[rule]]` table in a case or a pack, with its `kind`, an `id`, and",
        "the fields of the kind. Fields that all kinds have:",
        "",
    )
    common = list(Rule.model_fields)
    yield from _fields(Rule, ["kind"])
    yield from _tables(Rule, [], "##")
    for kind in sorted(builtin_kinds(), key=lambda k: str(k.model_fields["kind"].default)):
        does = {"judge": "forbids", "charge": "charges", "rows": "limits"}
        verbs = ", ".join(word for verb, word in does.items() if verb in kind.verbs)
        yield from (f"## `{kind.model_fields['kind'].default}`", "", f"It {verbs}. {inspect.getdoc(kind)}", "")
        yield from _fields(kind, common)
        yield from _tables(kind, [*common, "also"], "###")


def _packs_page() -> Iterator[str]:
    yield from (
        "# Rule packs",
        "",
        'Law as data: a folder with `pack.toml`, and beside it `vectors.toml` with worked examples. A case names it as `"./law"`, or by its id where a plugin brings it.',
        "This page is made from what the files are read by; `friendshore plugins new NAME --pack` writes a pack to start from.",
        "",
        "## `pack.toml`",
        "",
    )
    yield from columns_of(pack_layout())
    common = ", ".join(f"`{field.alias or name}`" for name, field in Rule.model_fields.items() if name != "kind")
    yield from (
        "### `[[rule]]`",
        "",
        f"`kind`, {common}, and the fields of [its kind](rules.md). `kind`, `id` and `citation` are needed: a rule of law without its clause cannot be checked by anybody.",
        "",
    )
    yield from _tables(Rule, [], "####")
    bans = tables_within(OriginBan, [*Rule.model_fields, "also"])
    yield from (
        f"Of an [`origin-ban`](rules.md#origin-ban), {_listed([path for paths in bans.values() for path in paths if '.' not in path])} are tables too, with keys of their own.",
        "",
    )
    bill = next(field.inside for field in pack_layout().fields if field.name == "bill")
    assert bill is not None
    yield from (f"### `{bill.name}`", "", bill.doc, "")
    yield from columns_of(bill)
    yield from (
        "`change` is a list of [changes](files.md), as in a scenario of a case.",
        "",
        "### `[[scenario]]`",
        "",
        "As [in a case](files.md#scenario): any case that uses the pack may ask for it by name.",
        "",
        "## `vectors.toml`",
        "",
        "Worked examples of the law. They are no part of a plan: `friendshore plugins check` and the tests of a plugin ask them.",
        "",
    )
    yield from _fields(VectorFile)
    yield from ("### `[[vector]]`", "", inspect.getdoc(Vector) or "", "")
    yield from _fields(Vector)
    yield from ("### `use = { … }`", "", inspect.getdoc(VectorUse) or "", "")
    yield from _fields(VectorUse)
    yield from ("### `offer = { … }`", "", inspect.getdoc(VectorOffer) or "", "")
    yield from _fields(VectorOffer)
    yield from (
        'A chain is a table of stage and countries: `chain = { mined = "AU", refined = "CN MY ?", produced = "" }`. `?` says that the list is not known to be',
        "complete, an empty text that nobody knows; `recycled` before the countries says that the feed is recycled. `[[material]]` has the columns of",
        "[`materials.csv`](files.md#materialscsv).",
    )


def _fields(kind: type[BaseModel], without: Collection[str] = ()) -> Iterator[str]:
    yield from ("| field | default | meaning |", "|---|---|---|")
    for key in keys(kind, without):
        default = key.default if key.default == "needed" else f"`{key.default}`"
        yield f"| `{key.name}` | {default} | {key.meaning.replace('|', 'or')} |"
    yield ""


def _tables(kind: type[BaseModel], without: Collection[str], level: str) -> Iterator[str]:
    """Tables within a table: a heading with the keys that hold each, and its own keys."""
    for inner, paths in tables_within(kind, without).items():
        yield from (f"{level} {_listed(paths)}", "", " ".join((inspect.getdoc(inner) or "").split()), "")
        yield from _fields(inner)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _cli_page() -> Iterator[str]:
    root: Any = get_command(app)
    yield from ("# Command line", "", root.help, "")
    yield from (
        "This page is made from the commands themselves. Answers go to stdout, all else to stderr; with `--json` stdout holds one",
        'JSON object and nothing else, also for errors (`{"errors": [...]}`); only a mistyped command line is told on stderr alone.',
        "A sign that a terminal would act on is shown by its number wherever text is printed; JSON holds each name as it was typed.",
        "Colours are shown on a terminal only, and not under `NO_COLOR`. Nothing is written to disk except by `--out`, `--html` and `--bid-sheets`, by `sign`,",
        "`init`, `lock`, `case to-xlsx`, `case from-xlsx --write`, `plugins new`, `catalogs convert`, `catalogs datapackage` and `--install-completion`. What each exit code",
        "means: [exit-codes.md](exit-codes.md); what `--out` writes: [run-folder.md](run-folder.md).",
        "",
        "`friendshore --version` says which version it is. Commands and options are completed by the Tab key once the shell is told:",
        "`friendshore --install-completion` writes to the settings of the shell in which it is run (bash, zsh, fish, PowerShell), and holds",
        "from the next window on; `--show-completion` prints the same, to be put there by hand.",
        "",
        "What if, without an edit of the case: `--change` states a change in the words of a [`change` table](files.md) of a case file, and",
        "may repeat: `--change 'disable=RULE' --change 'stock=MATERIAL, quantity=5 t, countries=US;CA'`. A comma ends a value where another key",
        "follows; entries of a list are set apart by `;`. A run keeps its changes, and `verify` derives it again with them.",
        "",
    )
    for name, command in _commands(root, NAME):
        yield from _command(name, command)
    for name in announced_commands():
        yield from _command(f"{NAME} {name}", plugin_command(name, ()))


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        else:
            yield full, command_for(name) if name in own_questions() else command


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(_argument(p) for p in arguments)])
    yield from (f"## `{usage}`", "", *[line.strip() for line in (command.help or "").strip().splitlines()], "")
    yield from ("| | | default |", "|---|---|---|")
    for parameter in arguments:
        yield _parameter_row(_argument(parameter), parameter)
    for parameter in options:
        metavar = f" {parameter.metavar}" if parameter.metavar else ""
        yield _parameter_row(", ".join(parameter.opts) + metavar, parameter)
    yield ""


def _parameter_row(name: str, parameter: Any) -> str:
    """A bar would begin the next cell, in code as well."""
    written = name.replace("|", "` or `")
    return f"| `{written}` | {parameter.help or ''} | {_default(parameter)} |"


def _argument(parameter: Any) -> str:
    metavar = str(parameter.metavar or parameter.name.upper()).strip("[]")
    return metavar if parameter.required else f"[{metavar}]"


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value in (None, False, "", (), []) or callable(value) else f"`{value}`"


def _exit_page() -> Iterator[str]:
    yield from ("# Exit codes", "", "| code | | meaning |", "|---|---|---|")
    for code, name, meaning in EXIT_CODES:
        yield f"| {code} | {name} | {meaning} |"


def _run_page() -> Iterator[str]:
    yield from (
        "# Run folder",
        "",
        "What `friendshore plan --out` writes, and `friendshore verify` checks. It is written in a hidden folder",
        "beside it and put in place by renaming, so that a folder is a whole run or none. If a command is killed between the two",
        "renames of a replacement, the next one that reads or writes the folder puts the old run, `.NAME.old`, back.",
        "[What a check proves, and what not](../decisions/runs.md).",
        "",
        f"`plan --out` replaces an empty folder, or a run as it was written: every file in it must be named in `{SUMS_FILE}`, with the",
        "hash that it has. A folder with a file that was added or changed is refused, with its name, and left as it is. So is a run of",
        f"before there was a `{SUMS_FILE}`: name another folder, or delete it yourself. [Why](../decisions/writing.md).",
        "",
        "| file | holds |",
        "|---|---|",
        f"| `{RUN_FILE}` | the run: the object that `plan --json` prints; schema in `schemas/run.json` |",
        f"| `{FACTS_FILE}` | everything the plan follows from: the case as declared, catalogs and rules as read, each under what it comes from and its hash; what was applied (scenarios, `--strict`, changes); the plan |",
    )
    for table in TABLES:
        told = f"`{table.field}` of {RUN_FILE}" if table.field else "every verdict of a rule on something bought"
        yield f"| `{table.file}` | {told}: {', '.join(f'`{name}`' for name in table.columns)} |"
    yield (
        f"| `{CERTIFICATE_FILE}` | of a run made with `--certify`: [what proves its bound](../decisions/certificates.md); of each claim (one for each ranked objective) "
        "the independent parts, each with what the plan comes to in it, the bound that is proved, its cuts, if any, a line each, "
        "`[denominator, [[row, numerator], …], [column counted from its upper end, …]]` with cuts numbered after the rows, and its tree, a line a step: "
        '`["split", column, at]`, followed by all that is at most `at` and then by all that is more; `["leaf", denominator, [[row, numerator], …]]` '
        'with multipliers that prove a bound; `"empty"` in its place where they prove that no plan keeps the rows |'
    )
    yield f"| `{SUMS_FILE}` | the SHA-256 of every file above: `sha256sum -c {SUMS_FILE}` checks them |"
    yield f"| `{SIGNATURE_FILE}` | of a [signed](../how-to/hand-on-a-report.md#sign-the-run) run: the Ed25519 signature of `{SUMS_FILE}` |"
    yield from (
        "",
        "A name may hold any sign. In the tables a text that a spreadsheet would compute (it begins with `=`, `+`, `-` or `@`, or does so",
        'after a `;`), that begins with `"`, has blanks at an end, or holds a sign that cannot be seen, stands as a JSON string: `=1+1` as',
        '`"=1+1"`, a line break as `"\\n"`. Who reads a table gets the text by reading such a cell as JSON; `verify` does. Numbers stand as they are.',
        "In the two JSON files, signs that cannot be seen are written by their number, as `\\u202e`, which says the same.",
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
