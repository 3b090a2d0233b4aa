"""Hooks that a plugin may implement, and the marker for its functions.

Most plugins need none. For a catalog or a rule pack, a `friendshore.toml` that names its folder suffices. Code is for the rest: a new kind of
rule, a catalog that is fetched or computed, a new format, or a question about a plan.

The example of each hook is a complete plugin, with its own name in a `pyproject.toml`:

```toml
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "friendshore-quotes"
version = "1.0"
dependencies = ["friendshore>=0.1,<0.2"]

[project.entry-points.friendshore]
quotes = "friendshore_quotes"
```
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .readers import CaseFacts, Reader
    from .rules.base import Rule
    from .rules.pack import RulePack


class Named(Protocol):
    """An object with a name, such as a question (`friendshore.questions.Question`)."""

    @property
    def name(self) -> str: ...


API = 1
"""Version of the plugin interface: the manifest, these hooks, and the form of rules and catalogs."""

hookspec = pluggy.HookspecMarker("friendshore")
hookimpl = pluggy.HookimplMarker("friendshore")
"""Marker of a plugin's function as the implementation of the hook with its name."""


@hookspec
def friendshore_catalogs() -> Iterable[Path]:
    r"""Yield folders of catalogs that are made on demand.

    Called only when a case names a catalog that the manifest lists under `hook_catalogs`. The name of a catalog is the `name` in its `catalog.toml`.
    The file `friendshore_quotes/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    hook_catalogs = ["quotes"]
    ```

    `friendshore_quotes/__init__.py`:

    ```python
    from collections.abc import Iterator
    from pathlib import Path
    from tempfile import mkdtemp

    from friendshore.hookspecs import hookimpl


    @hookimpl
    def friendshore_catalogs() -> Iterator[Path]:
        folder = Path(mkdtemp())
        (folder / "catalog.toml").write_text(
            'schema = 1\nname = "quotes"\ntitle = "Our quotes"\nlicense = "internal"\nas_of = 2026-11-01\n'
        )
        yield folder
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_rules() -> Iterable[type[Rule] | Path]:
    """Yield rule kinds, and folders of rule packs that are made on demand.

    Called when a case uses a kind that the manifest lists under `kinds`, or a pack that it lists under `hook_packs`. A rule is a frozen record with a
    `kind`, and one or more of the methods `judge`, `charge`, and `rows`. The file `friendshore_houserules/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    kinds = ["no-traders"]
    ```

    `friendshore_houserules/__init__.py`:

    ```python
    from collections.abc import Iterator
    from typing import Literal

    from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
    from friendshore.hookspecs import hookimpl
    from friendshore.rules.base import Rule


    class NoTraders(Rule):
        \"\"\"Prohibit purchases from offers without known places of production.\"\"\"

        kind: Literal["no-traders"] = "no-traders"
        end_use: str = "defense"

        def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
            if use.end_use != self.end_use or offer.performed:
                return PASS
            return Verdict(result=Result.FAIL, rule=self.id, clause=self.citation, reason="a trader's offer")


    @hookimpl
    def friendshore_rules() -> Iterator[type[Rule]]:
        yield NoTraders
    ```

    A case then says:

    ```toml
    [[rule]]
    kind = "no-traders"
    end_use = "defense"
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_questions() -> Iterable[Named]:
    """Yield questions. Each is a command about a plan, `friendshore NAME CASE|RUN`.

    Called only when a question that the manifest lists under `[questions]` is asked. Lists and `--help` read the manifest. Each is an object of a
    class derived from `friendshore.questions.Question`. The file `friendshore_largest/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    [questions]
    largest = "Quantity of each material from its largest offer."
    ```

    `friendshore_largest/__init__.py`:

    ```python
    from collections import Counter
    from collections.abc import Iterator
    from dataclasses import dataclass
    from typing import Annotated, Any

    from friendshore.document.elements import Document, sentence
    from friendshore.hookspecs import hookimpl
    from friendshore.questions import Opened, Progress, Question, Setting


    @dataclass(frozen=True)
    class Options:
        material: Annotated[str, Setting("Only this material.", argument=True)] = ""


    class Largest(Question[Options, dict[str, int]]):
        \"\"\"Show the kilograms of each material from its largest offer.\"\"\"

        name = "largest"
        options = Options

        def ask(self, opened: Opened, options: Options, progress: Progress | None) -> dict[str, int]:
            bought: dict[str, Counter[str]] = {}
            for purchase in opened.session.verified.plan.purchases:
                offers = bought.setdefault(purchase.material, Counter())
                offers[purchase.offer] += int(purchase.quantity)
            return {name: max(of.values()) for name, of in bought.items() if options.material in ("", name)}

        def document(self, result: dict[str, int], options: Options) -> Document:
            return Document(self.name, tuple(sentence(f"{name}: {kg:,} kg") for name, kg in result.items()))

        def data(self, result: dict[str, int], options: Options) -> dict[str, Any]:
            return {"largest_kg": result}


    @hookimpl
    def friendshore_questions() -> Iterator[Largest]:
        yield Largest()
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_readers() -> Iterable[Reader]:
    """Yield readers. Each reads catalogs, demands, or both, in a format of its own, for `prefix:argument` in a case.

    Called in a separate process when a case names a reader that the manifest lists under `readers`. Its rows are checked like a table of
    friendshore's own, and each error has the line that the reader states. The file `acme_erp/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    readers = ["acme-erp"]
    ```

    `acme_erp/__init__.py`:

    ```python
    from collections.abc import Iterator

    from friendshore.errors import Diagnostic, InputError
    from friendshore.hookspecs import hookimpl
    from friendshore.readers import ReadRequest, Reader, TableRows


    class Erp(Reader):
        \"\"\"Annual demands, one per line: `material;use;tonnes`.\"\"\"

        name = "acme-erp"

        def demand(self, request: ReadRequest) -> TableRows:
            file = request.path.with_suffix(".txt")
            if not file.is_file():
                raise InputError(Diagnostic("the export doesn't exist", str(file), fix="export the orders again"))
            lines = [line.split(";") for line in file.read_text(encoding="utf-8").splitlines()]
            demands = [{"material": m, "end_use": use, "per_year": f"{tonnes} t"} for m, use, tonnes in lines]
            return TableRows.of(demands, str(file), first=1)


    @hookimpl
    def friendshore_readers() -> Iterator[Erp]:
        yield Erp()
    ```

    A case then says:

    ```toml
    [use]
    demand = "acme-erp:orders-2027"
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_settings() -> Iterable[type[BaseModel]]:
    """Yield the single pydantic model of the plugin's settings in a case.

    Called when a case has settings for the plugin or uses a rule of it, if the manifest has `settings = true`. Here is
    `acme_debarred/__init__.py` of a plugin whose `friendshore.toml` has `settings = true` and `kinds = ["listed"]`:

    ```python
    from collections.abc import Iterator
    from decimal import Decimal
    from typing import Literal

    from friendshore.domain.base import Record
    from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
    from friendshore.hookspecs import hookimpl
    from friendshore.rules.base import Rule


    class Settings(Record):
        threshold: Decimal = Decimal("0.85")
        \"\"\"Minimum similarity of two names.\"\"\"
        names: tuple[str, ...]


    class Listed(Rule):
        \"\"\"Prohibit purchases from companies in the settings.\"\"\"

        kind: Literal["listed"] = "listed"

        def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
            if offer.facility.supplier not in self.settings.names:
                return PASS
            return Verdict(result=Result.FAIL, rule=self.id, clause=self.citation, reason="is listed")


    @hookimpl
    def friendshore_settings() -> Iterator[type[Settings]]:
        yield Settings


    @hookimpl
    def friendshore_rules() -> Iterator[type[Rule]]:
        yield Listed
    ```

    A case then says:

    ```toml
    [plugin.acme-debarred]
    threshold = 0.9
    names = ["Example Trading"]
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_case_packs(facts: CaseFacts) -> Iterable[RulePack]:
    """Yield rule packs derived from a case's settings for the plugin and its facts, such as prohibitions from a list beside the case.

    Called in a separate process for every case with a table `[plugin.NAME]`, if the manifest has `case_packs = true` and `settings = true`. Only
    data is returned. Rules are tables of any installed kind, as in `pack.toml`. `acme_debarred/__init__.py`:

    ```python
    from datetime import date

    from friendshore.domain.base import Record
    from friendshore.hookspecs import hookimpl
    from friendshore.readers import CaseFacts
    from friendshore.rules.pack import RulePack


    class Settings(Record):
        names: str
        day: date


    @hookimpl
    def friendshore_settings() -> list[type[Settings]]:
        return [Settings]


    @hookimpl
    def friendshore_case_packs(facts: CaseFacts) -> list[RulePack]:
        debarred = set((facts.folder_of("names") / facts.settings.names).read_text(encoding="utf-8").splitlines())
        excluded = {f.id for catalog in facts.catalogs for f in catalog.facilities if f.supplier in debarred}
        rule = {"kind": "exclude", "id": "acme-debarred", "citation": "our terms, 4.2", "facilities": sorted(excluded)}
        rules = (rule,) if excluded else ()
        return [RulePack(id="acme-debarred", title="Debarred suppliers", as_of=facts.settings.day, rules=rules)]
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_commands() -> Iterable[Named]:
    """Yield commands as `friendshore.cli.Command`. Each is a function whose parameters are typer's arguments and options.

    Called only when a command that the manifest lists under `[commands]` is run. A name of two words is a command in a group: `case to-sql` joins
    `case roll`, and `fleet list` starts a new group. The function returns its exit code. A `FriendshoreError` that it raises is reported like any
    other error. The file `acme_hello/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    [commands]
    "catalogs count" = "Count the offers of a catalog."
    ```

    `acme_hello/__init__.py`:

    ```python
    from collections.abc import Iterator
    from typing import Annotated

    import typer

    from friendshore.catalog import read_catalogs
    from friendshore.cli import Command
    from friendshore.cli.options import AsJson, Blocked, installed
    from friendshore.cli.output import bare, show_json
    from friendshore.hookspecs import hookimpl


    def count(
        name: Annotated[str, typer.Argument(metavar="CATALOG", help="Name of an installed catalog.")],
        block: Blocked = None,
        as_json: AsJson = False,
    ) -> int:
        \"\"\"Count the offers of a catalog.\"\"\"
        registry = installed(block)
        place = registry.catalog_folder(name)
        read = read_catalogs([place], registry.catalog_folder)
        offers = sum(len(catalog.offers) for catalog in read if catalog.name == place.name)
        show_json({"offers": offers}) if as_json else bare(f"{offers} offers")
        return 0


    @hookimpl
    def friendshore_commands() -> Iterator[Command]:
        yield Command("catalogs count", count)
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_formats() -> Iterable[Named]:
    """Yield output formats, derived from `friendshore.report.Format`. Each turns a document, or a whole run, into the bytes of a file.

    Called to write a file of a format that the manifest lists under `[formats]`, as by `report RUN --out page.html`. The name of a format is the
    extension of its files. The file `acme_text/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    [formats]
    txt = "Plain text, 72 characters wide."
    ```

    `acme_text/__init__.py`:

    ```python
    from collections.abc import Iterator

    from friendshore.document.elements import Document
    from friendshore.document.terminal import plain_text
    from friendshore.hookspecs import hookimpl
    from friendshore.report import Format


    class PlainText(Format):
        name = "txt"

        def render(self, document: Document, file: str = "") -> bytes:
            return plain_text(document, 72).encode()


    @hookimpl
    def friendshore_formats() -> Iterator[Format]:
        yield PlainText()
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_checks() -> Iterable[Named]:
    """Yield additional checks of runs for `verify`, derived from `friendshore.recommend.RunChecker`.

    Called whenever a run is verified, if the manifest lists the check under `[checks]`. A check may report findings, which fail the run, and facts
    for which nothing vouches. A check that can read a file beside a run lists the file's name in `files`. Without the plugin, `verify` rejects a run
    with such a file rather than ignoring it. The file `acme_audit/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    [checks]
    made-this-year = "Check that the run was made this year."
    ```

    `acme_audit/__init__.py`:

    ```python
    from collections.abc import Iterator
    from datetime import date

    from friendshore.errors import Diagnostic
    from friendshore.hookspecs import hookimpl
    from friendshore.recommend import CheckAnswer, CheckRequest, RunChecker


    class MadeThisYear(RunChecker):
        name = "made-this-year"

        def check(self, request: CheckRequest) -> CheckAnswer:
            day = request.stored.run.planned_on
            if day is not None and day.year == date.today().year:
                return CheckAnswer()
            return CheckAnswer(findings=(Diagnostic("the run was not made this year", "run.json", column="planned_on", found=f"{day}"),))


    @hookimpl
    def friendshore_checks() -> Iterator[RunChecker]:
        yield MadeThisYear()
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_case_formats() -> Iterable[Named]:
    """Yield formats of cases, derived from `friendshore.case.CaseFormat`. Each reads a case from a file that isn't TOML.

    Called to read a case from a file whose extension the manifest lists under `[case_formats]`. The result is checked key by key like a case file.
    The file `acme_json/friendshore.toml` of a complete plugin:

    ```toml
    api = 1
    [case_formats]
    json = "A case as JSON, with the keys of a case file."
    ```

    `acme_json/__init__.py`:

    ```python
    import json
    from collections.abc import Iterator
    from pathlib import Path

    from friendshore.case import CaseFormat
    from friendshore.errors import Diagnostic
    from friendshore.hookspecs import hookimpl
    from friendshore.reading.tomlfile import TomlFile


    class JsonCase(CaseFormat):
        name = "json"

        def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
            try:
                data = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                problems.append(Diagnostic(f"cannot be read: {error}", str(file), fix="write JSON"))
                return None
            return TomlFile(str(file), data, {}, problems)


    @hookimpl
    def friendshore_case_formats() -> Iterator[CaseFormat]:
        yield JsonCase()
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only
