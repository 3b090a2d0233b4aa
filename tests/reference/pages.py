"""Reference pages and schemas, generated from the code by `uv run python -m tests.reference.pages docs/reference`. A test checks that they are current."""

from __future__ import annotations

import inspect
import sys
import tomllib
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
from friendshore.domain.written import keys, paths_by_record
from friendshore.rules.base import Rule
from friendshore.rules.kinds import builtin_kinds
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore.rules.pack import pack_layout
from friendshore.run import CERTIFICATE_FILE, FACTS_FILE, RUN_FILE, SIGNATURE_FILE, SUMS_FILE, TABLES, json_text
from friendshore_testing.vectors import Vector, VectorFile, VectorOffer, VectorUse

NAME = "friendshore"
ROOT = Path(__file__).parents[2]


def makers() -> dict[str, Callable[[], str]]:
    """Return path below `docs/reference` -> function that writes its text."""
    return {
        **{f"schemas/{name}.json": partial(schema_text, schema) for name, schema in schemas().items()},
        "files.md": files_page,
        "rules.md": lambda: "\n".join(_rules_page()) + "\n",
        "packs.md": lambda: "\n".join(_packs_page()) + "\n",
        "codes.md": lambda: "\n".join(_codes_page()) + "\n",
        "cli.md": lambda: "\n".join(_cli_page()) + "\n",
        "exit-codes.md": lambda: "\n".join(_exit_page()) + "\n",
        "run-folder.md": lambda: "\n".join(_run_page()) + "\n",
        "schemas/run.json": lambda: json_text(run_schema()),
    }


def run_schema() -> dict[str, Any]:
    """JSON schema of `run.json`, which `plan --json` prints with its headline."""
    schema = Run.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write(folder: Path) -> None:
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
        'A rule pack is law as data: a folder with `pack.toml` and, for worked examples, `vectors.toml`. A case names it as `"./law"`, or by its id if a plugin provides it.',
        "To start one, use `friendshore plugins new NAME --pack`. This page is generated from the code that reads the files.",
        "",
        "## `pack.toml`",
        "",
    )
    yield from columns_of(pack_layout())
    common = ", ".join(f"`{field.alias or name}`" for name, field in Rule.model_fields.items() if name != "kind")
    yield from (
        "### `[[rule]]`",
        "",
        f"`kind`, {common}, and the fields of [its kind](rules.md). `kind`, `id` and `citation` are needed.",
        "",
    )
    yield from _tables(Rule, [], "####")
    bans = paths_by_record(OriginBan, [*Rule.model_fields, "also"])
    yield from (
        f"In an [`origin-ban`](rules.md#origin-ban), {_listed([path for paths in bans.values() for path in paths if '.' not in path])} are tables too.",
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
        "As [in a case](files.md#scenario). Any case that uses the pack may name it.",
        "",
        "## `vectors.toml`",
        "",
        "Worked examples of the law, for `friendshore plugins check` and the tests of a plugin. Plans don't use them.",
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
        'A chain is a table of stages and countries: `chain = { mined = "AU", refined = "CN MY ?", produced = "" }`. `?` means that the list may be incomplete,',
        "an empty text that the country is unknown, and `recycled` before the countries that the feed is recycled. `[[material]]` has the columns of",
        "[`materials.csv`](files.md#materialscsv).",
    )


def codes() -> dict[str, Any]:
    """Return the table of codes, with the areas under `area`."""
    return tomllib.loads((ROOT / "core/friendshore/codes.toml").read_text("utf-8"))


def _codes_page() -> Iterator[str]:
    yield from (
        "# Codes",
        "",
        "Each error, warning, cause of a shortage, and caveat has a code. It never changes its meaning, unlike the words of a message. JSON has it as `code`.",
        "Plugins may add codes of their own, with another prefix. This page is generated.",
        "",
    )
    table = codes()
    for area in table.pop("area"):
        first, _, last = area["codes"].partition(" to ")
        here = {code: entry for code, entry in sorted(table.items()) if first <= code <= last}
        if here:
            yield from (f"## {area['title']}", "")
        for code, entry in here.items():
            yield from (f"### {code}: {entry['title']}", "", entry["meaning"], "")
            if "fix" in entry:
                yield from (f"Fix: {entry['fix']}", "")
            if "example" in entry:
                yield from ("```text", entry["example"].strip(), "```", "")


def _fields(kind: type[BaseModel], without: Collection[str] = ()) -> Iterator[str]:
    yield from ("| field | default | meaning |", "|---|---|---|")
    for key in keys(kind, without):
        default = key.default if key.default == "needed" else f"`{key.default}`"
        yield f"| `{key.name}` | {default} | {key.meaning.replace('|', 'or')} |"
    yield ""


def _tables(kind: type[BaseModel], without: Collection[str], level: str) -> Iterator[str]:
    """Yield nested tables: a heading with the keys that contain each, and its own keys."""
    for inner, paths in paths_by_record(kind, without).items():
        yield from (f"{level} {_listed(paths)}", "", " ".join((inspect.getdoc(inner) or "").split()), "")
        yield from _fields(inner)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _cli_page() -> Iterator[str]:
    root: Any = get_command(app)
    yield from ("# Command line", "", root.help, "")
    yield from (
        "This page is generated from the commands. Answers go to stdout, everything else to stderr. With `--json`, stdout has one JSON object and nothing else, also for",
        'errors (`{"errors": [...]}`). Only a mistyped command line is reported on stderr alone.',
        "",
        "Control characters are printed as numbers. JSON has each name as it was typed. Colors appear only on a terminal, and not with `NO_COLOR`.",
        "",
        "Only these write to disk: `--out`, `--folder`, and `--bid-sheets`, `sign`, `init`, `lock`, `case to-xlsx`, `case from-xlsx --write`, `plugins new`, `catalogs convert`,",
        "`catalogs datapackage`, and `--install-completion`. See also [exit codes](exit-codes.md) and [run folders](run-folder.md).",
        "",
        "`friendshore --version` prints the version. `friendshore --install-completion` sets up completion by the Tab key in the current shell (bash, zsh, fish, PowerShell).",
        "`--show-completion` prints the script instead.",
        "",
        "`--change` applies a change without editing the case. It is written like a [`change` table](files.md) of a case file, and may repeat: `--change 'disable=RULE'`",
        "`--change 'stock=MATERIAL, quantity=5 t, countries=US;CA'`. A comma ends a value if another key follows. A semicolon separates entries of a list. A run keeps its",
        "changes, and `verify` applies them too.",
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
    """Return a row. A bar would begin the next cell, even in code."""
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
        "# Run folder and lock file",
        "",
        "`friendshore plan --out` writes a run folder, and `friendshore verify` checks it ([what that proves](../decisions/runs.md)).",
        "A folder is a whole run or none: it is written beside its place and renamed. If a command is killed between two renames,",
        "the next one restores the old run from `.NAME.old`.",
        "",
        f"`plan --out` replaces only an empty folder or an unchanged run, with every file in `{SUMS_FILE}` and its hash.",
        "It refuses any other folder ([why](../decisions/writing.md)); name another one, or delete it yourself.",
        "",
        "| file | contents |",
        "|---|---|",
        f"| `{RUN_FILE}` | the run, as `plan --json` prints it with its headline; schema in `schemas/run.json` |",
        f"| `{FACTS_FILE}` | everything that the plan follows from: the case, catalogs, and rules, each with its origin and hash; scenarios, `--strict`, and changes; the plan |",
    )
    for table in TABLES:
        contents = f"`{table.field}` of {RUN_FILE}" if table.field else "every verdict of a rule on a purchase"
        yield f"| `{table.file}` | {contents}: {', '.join(f'`{name}`' for name in table.columns)} |"
    yield f"| `{CERTIFICATE_FILE}` | of a run made with `--certify`: [what proves its bound](../decisions/certificates.md), [below](#certificate) |"
    how_to = "../how-to/answer-a-contracting-officer.md"
    yield f"| `form-NAME.json`, `.html`, `.xlsx` | [forms]({how_to}) that `dossier --keep` added. The check `forms` reads them |"
    yield f"| `{SUMS_FILE}` | the SHA-256 of every file above: `sha256sum -c {SUMS_FILE}` checks them |"
    yield f"| `{SIGNATURE_FILE}` | of a [signed](../how-to/hand-on-a-report.md#sign-the-run) run: the Ed25519 signature of `{SUMS_FILE}` |"
    yield from (
        "",
        '**Names may contain any character.** In tables, a text becomes a JSON string, such as `"=1+1"` or `"\\n"`, if it:',
        "",
        "- begins with `=`, `+`, `-`, or `@`, or does so after a `;`, so that a spreadsheet would compute it",
        '- begins with `"`, or has blanks at an end',
        "- contains an invisible character",
        "",
        "Read such a cell as JSON; `verify` does. The two JSON files escape invisible characters, as in `\\u202e`.",
        "",
    )
    yield from _certificate_part()
    yield from _lock_part()


def _certificate_part() -> Iterator[str]:
    yield from (
        "## Certificate",
        "",
        "For each claim (one per ranked objective), the file lists the independent parts. Each part has:",
        "",
        "- the plan's cost in it, and the proved bound",
        "- cuts, numbered after the rows, one per line: `[denominator, [[row, numerator], …], [column counted from its upper end, …]]`",
        '- a tree, one step per line. `["split", column, at]` is followed by everything up to `at`, then by everything above. '
        '`["leaf", denominator, [[row, numerator], …]]` has multipliers that prove a bound; `"empty"` replaces it if they prove that no plan satisfies the rows',
    )


def _lock_part() -> Iterator[str]:
    yield from (
        "",
        "## Lock file",
        "",
        "`friendshore lock CASE` writes `friendshore.lock`, sorted JSON, beside the case. Keep it under version control. `friendshore plan CASE --locked`",
        "plans only if nothing has changed since. Otherwise it exits with 3 and lists every difference.",
        "",
        "| key | contents |",
        "|---|---|",
        "| `schema` | 2 |",
        "| `case` | name of the case |",
        "| `versions` | of friendshore and OR-Tools |",
        "| `locked` | an entry for each catalog, rule pack, and kind of rule that the case uses, and for each plugin that provides any of them |",
        "",
        "An entry has its `kind`, `name`, `distribution` with version (empty: beside the case), `digest`, and `records`: the start of each record's hash, by name.",
        "",
        "- **Catalogs and packs**: the digest is a SHA-256 of the parsed, sorted facts. Another order of rows, or the same mass in another unit, is no change.",
        "- **Plugins**: every file counts, byte for byte: the folders of the package, also through links, and everything else that its distribution installed by its",
        "  `RECORD`. For an editable installation, only the package counts. A kind of rule has the digest of its plugin.",
        "- **Left out**: `__pycache__`, and metadata that installers write in different ways.",
        "- **Refused**: a plugin that is a single module or in an archive, and kinds given in memory.",
        "- **Not covered**: the case, which is your own input, and what a plugin reads elsewhere, such as other distributions, files, or the network. friendshore",
        "  itself is locked by version.",
        "",
        "A changed price is refused like this:",
        "",
        "```text",
        "$ friendshore plan case --locked",
        "case/friendshore.lock: FS620 catalog `acme` (acme-tin 1.0) differs from the lock: offer tin-my changed",
        "    fix:      restore the locked version, or review the change and run `friendshore lock`",
        "```",
        "",
        "If a locked plugin isn't installed, `plan` and `check` print the command that installs the locked version, also without `--locked`.",
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
