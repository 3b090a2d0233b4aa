"""Forms as records. Every row names the figures that it shows, and the command, evidence, or clause that proves each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from friendshore.document import elements as doc
from friendshore.document.figures import count
from friendshore.domain.base import Record, exact
from friendshore.domain.elements import declaration_form
from friendshore.domain.facts import Facility, Material
from friendshore.domain.run import Run
from friendshore.questions.wording import ranked
from friendshore.run import RunFolder, RunVerdict

if TYPE_CHECKING:
    from friendshore.problem import Problem

FormName: TypeAlias = Literal["analysis", "magnets", "assessment", "orders"]
FORM_NAMES: tuple[FormName, ...] = ("analysis", "magnets", "assessment", "orders")
Value: TypeAlias = bool | int | float | str | None
PLAN = "plan"
"""Command whose JSON output is the run itself."""
UNKNOWN = "unknown"
ASK = "`friendshore ask RUN --bid-sheets FOLDER` writes questions to suppliers"


class FormFigure(Record):
    """A figure, and the place where a command shows it."""

    command: str
    """Question with its arguments, such as `why-not acme-gallium`, without the case or run."""
    at: str
    """Place in its JSON output, such as `offers[offer=acme-gallium].max_kg`. `#` at the end counts entries."""
    value: Value


class Cell(Record):
    """A cell: a text, kilograms, or money in the currency of the form."""

    text: str = ""
    kg: float | None = None
    money: float | None = None


class FormRow(Record):
    """A row of a form."""

    cells: tuple[Cell, ...]
    figures: tuple[FormFigure, ...] = ()
    """Everything in the cells that a command shows."""
    evidence: tuple[str, ...] = ()
    """Documents and clauses."""
    unknown: bool = False
    """True if the row states that something isn't known."""

    @property
    def proof(self) -> tuple[str, ...]:
        commands = dict.fromkeys(shown_command(figure.command) for figure in self.figures)
        return (*commands, *self.evidence)


class FormTable(Record):
    """Rows under columns. A last column with the proof of each row is added when it is shown."""

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[FormRow, ...]


class FormSection(Record):
    """A page of a form."""

    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[FormTable, ...] = ()


class Form(Record):
    """A form for an authority. It follows from a run, except for `solved`."""

    schema_version: Literal[1] = 1
    form: FormName
    title: str
    basis: str
    """Provision that asks for it."""
    case: str
    planned_on: date | None
    currency: str
    summary: str
    sections: tuple[FormSection, ...]
    limits: tuple[str, ...]
    """Limits of the claims."""
    solved: tuple[FormFigure, ...] = ()
    """Figures of further solves. A check of the run doesn't repeat them."""


def shown_command(command: str) -> str:
    """Return a command as a reader types it, or the file of a run that has the figure."""
    if command == PLAN:
        return "run.json"
    name, _, rest = command.partition(" ")
    return " ".join(filter(None, ("friendshore", name, "RUN", rest, "--json")))


_STEP = re.compile(r"""\.?("[^"]+"|[A-Za-z_]\w*)(\??)|\[(\d+)\]|\[([^\]]+)\]|(#)""")


def value_at(data: Any, at: str) -> Value:
    """Return the value at a place of JSON data. Raise LookupError if there is none.

    A name that ends with `?` may be missing, as in `adds.short_kg."antimony-metal"?`. Below None, everything is None.
    """
    if _STEP.sub("", at):
        raise LookupError(at)
    for name, may_be_missing, index, keys, counted in _STEP.findall(at):
        if data is None:
            return None
        if name:
            key = name.strip('"')
            data = data.get(key) if may_be_missing else data[key]
        elif index:
            data = data[int(index)]
        elif counted:
            data = len(data)
        else:
            wanted = [pair.split("=", 1) for pair in keys.split(",")]
            data = next((entry for entry in data if all(str(entry[key]) == text for key, text in wanted)), None)
            if data is None:
                raise LookupError(at)
    if data is not None and not isinstance(data, bool | int | float | str):
        raise LookupError(at)
    return data


@dataclass(frozen=True, eq=False)
class FormFacts:
    """Everything that a form is made from."""

    run: Run
    data: Mapping[str, Any]
    """The run as JSON."""
    problem: Problem
    verdicts: Callable[[], Sequence[RunVerdict]]
    answers: Callable[[str, str], Value]
    """Returns the value of a further solve by command and place."""
    solved_figures: dict[tuple[str, str], FormFigure] = field(default_factory=dict)
    cited: dict[str, int] = field(default_factory=dict)
    """Source -> its number in the list of documents."""

    @classmethod
    def of_stored(cls, stored: RunFolder, problem: Problem, answers: Callable[[str, str], Value]) -> FormFacts:
        """Return the facts of a run folder, with its plan as it was written."""
        rows, names = stored.tables["verdicts.csv"].rows, RunVerdict._fields
        return cls(
            stored.run, stored.data, problem, lambda: [RunVerdict(*map(row.text, names)) for row in rows], answers
        )

    def plan(self, at: str) -> FormFigure:
        return FormFigure(command=PLAN, at=at, value=value_at(self.data, at))

    def solved(self, command: str, at: str) -> FormFigure:
        """Return a figure of a further solve."""
        key = command, at
        if key not in self.solved_figures:
            self.solved_figures[key] = FormFigure(command=command, at=at, value=self.answers(command, at))
        return self.solved_figures[key]

    def solved_fields(self, command: str, at: str, fields: str) -> list[FormFigure]:
        return [self.solved(command, f"{at}.{field}") for field in fields.split()]

    def entries(self, command: str, at: str) -> Iterator[str]:
        """Yield the places of the entries of a list of a further solve. None if there is no list."""
        number = self.solved(command, f"{at}#").value
        if number is not None and type(number) is not int:
            raise LookupError(f"{number} isn't a number of entries")
        yield from (f"{at}[{i}]" for i in range(number or 0))

    def solved_list(self, command: str, at: str) -> list[FormFigure]:
        return [self.solved(command, entry) for entry in self.entries(command, at)]

    def solved_rows(self, command: str, at: str, fields: str) -> list[list[FormFigure]]:
        return [self.solved_fields(command, entry, fields) for entry in self.entries(command, at)]

    def source(self, offer: str, facility: Facility) -> str:
        """Return the plant, company, country, and id of an offer."""
        names = dict.fromkeys(filter(None, (facility.name or facility.id, facility.operator, facility.country)))
        return f"{', '.join(names)} ({offer})"

    def cite(self, source_id: str) -> str:
        """Return the number of a source in the list of documents, which is added to the form."""
        if source_id not in self.problem.merged.sources:
            return "no document"
        return f"document {self.cited.setdefault(source_id, len(self.cited) + 1)}"

    def document(self, source_id: str) -> tuple[str, str, str]:
        """Return the reference, date, and SHA-256 hash of a source. The hash is that of its catalog if the reference has none."""
        source = self.problem.merged.sources.get(source_id)
        if source is None:
            return "no document", "", ""
        stated = re.search(r"[;,]? *sha256 ([0-9a-f]{64})\b", source.reference)
        digests = {plugin.name: plugin.digest for plugin in self.run.plugins if plugin.kind == "catalog"}
        digest = stated[1] if stated else digests.get(source_id.partition(":")[0], UNKNOWN)
        reference = source.reference.replace(stated[0], "") if stated else source.reference
        noted = f"{reference} ({source.note})" if source.note else reference
        return noted, source.date.isoformat() if source.date else "undated", digest

    def documents(self) -> list[FormSection]:
        """Return the page with the cited documents, if there are any."""
        rows = [
            row(str(number), *self.document(name), self.problem.merged.sources[name].confidence.value, evidence=(name,))
            for name, number in self.cited.items()
        ]
        listed = table("No. | Document | Date | SHA-256 | Confidence", rows)
        note = "The hash is that of the document if it is stated, or else of the catalog that cites it."
        return [FormSection(title="Documents", notes=(note,), tables=(listed,))] if rows else []


def row(
    *cells: str | Cell, figures: Iterable[FormFigure] = (), evidence: Iterable[str] = (), unknown: bool = False
) -> FormRow:
    content = (Cell(text=cell) if isinstance(cell, str) else cell for cell in cells)
    return FormRow(cells=tuple(content), figures=tuple(figures), evidence=tuple(evidence), unknown=unknown)


def table(columns: str, rows: Iterable[FormRow], title: str = "") -> FormTable:
    return FormTable(title=title, columns=tuple(columns.split(" | ")), rows=tuple(rows))


def kg(value: Value | Decimal) -> Cell:
    return Cell(kg=None if value is None else float(exact_number(value)))


def money(value: Value | Decimal) -> Cell:
    return Cell(money=None if value is None else float(exact_number(value)))


def exact_number(value: Value | Decimal) -> Decimal:
    """Return a number of a form as an exact decimal. Raise LookupError for a text."""
    if isinstance(value, str) or value is None:
        raise LookupError(f"{value} isn't a number")
    return exact(value)


def inquiry(source: str, about: str, material: Material | None = None, figures: Iterable[FormFigure] = ()) -> FormRow:
    """Return a row with a question to a supplier. For a material's origin, it names the declaration to request, if the industry has one."""
    if material is None:
        document = "a quotation: capacity, price, and lead time"
    elif form := declaration_form(material.element):
        document = f"{form} with scope B (the product) and all smelters, and a letter that its lists are complete"
    else:
        document = "a letter that names the country of each stage"
    return row(source, about, document, figures=figures, evidence=(ASK,), unknown=True)


def form_document(form: Form) -> doc.Document:
    """Return a form for readers, with the proof of each row in its last column. A screen shows only its pages."""
    counted: list[list[doc.Cell]] = []
    for section in form.sections:
        rows = [row for table in section.tables for row in table.rows]
        counted.append([section.title, doc.Count(len(rows)), doc.Count(sum(row.unknown for row in rows))])
    about = doc.Pairs((("Basis", form.basis), ("Case", form.case), ("Plan", f"made {form.planned_on}")))
    listed = ranked([doc.Column("Page"), doc.figures("Rows"), doc.figures("Unknown")], counted, "more page")
    checks = [
        "RUN is the folder of the run, or the case. run.json is a file of the run, and the output of `friendshore plan CASE --json`."
    ]
    if form.solved:
        commands = ", ".join(sorted({figure.command.split()[0] for figure in form.solved}))
        checks.append(
            f"{count(len(form.solved), 'figure')} of {commands} took further plans. `friendshore verify` lists them as not checked. The "
            "commands show them again."
        )
    return doc.document(
        form.title,
        doc.answer(form.summary),
        doc.for_whole(about),
        doc.for_whole(doc.notes(form.limits, doc.Tone.ASIDE)),
        doc.section("", listed) if counted else None,
        *(doc.for_whole(_section(section, form.currency)) for section in form.sections),
        doc.for_whole(doc.section("How to check this form", doc.notes(checks))),
        doc.for_screen(doc.sentence(*doc.prose("Next: `--full` (every page), `--out FILE.html` or `FILE.xlsx`"))),
    )


def _section(section: FormSection, currency: str) -> doc.Section:
    parts: list[doc.Element] = []
    for table in section.tables:
        if table.title:
            parts.append(doc.sentence(table.title, strong=True))
        cells = [[row.cells[i] for row in table.rows] for i in range(len(table.columns))]
        columns = [_column(name, of_name, currency) for name, of_name in zip(table.columns, cells, strict=True)]
        rows = [[*map(_shown, row.cells), "; ".join(row.proof) or doc.NOTHING] for row in table.rows]
        parts.append(doc.table([*columns, doc.Column("Proof")], rows) if rows else doc.sentence("None."))
    return doc.section(section.title, doc.notes(section.notes), *parts)


def _column(name: str, cells: list[Cell], currency: str) -> doc.Column:
    if any(cell.money is not None for cell in cells):
        return doc.figures(name, currency)
    return doc.figures(name) if any(cell.kg is not None for cell in cells) else doc.Column(name)


def _shown(cell: Cell) -> doc.Cell:
    if cell.kg is not None:
        return doc.Kilograms(Decimal(str(cell.kg)))
    if cell.money is not None:
        return doc.Amount(Decimal(str(cell.money)))
    return cell.text or doc.NOTHING
