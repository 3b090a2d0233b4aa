"""Results of a sweep: its records, tables, and the journal that lets it resume."""

from __future__ import annotations

import csv
import io
import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from operator import eq
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, Literal, overload

from pydantic import Field, PlainSerializer, ValidationError, WrapValidator

from friendshore.domain.base import Number, Record
from friendshore.domain.plan import Cost
from friendshore.domain.used import RunPlugin
from friendshore.errors import InputError
from friendshore.explain.results import QuestionResult
from friendshore.inert import cell_inert
from friendshore.plugins.processes import versions
from friendshore.problem.changes import scenario_changes
from friendshore.problem.inputs import Applied, Inputs
from friendshore.writing import replace_file

if TYPE_CHECKING:
    import pandas


FAILED = "error"
"""The status of a scenario that could not be planned."""


class SweepScenario(Record):
    """One scenario of a sweep, before it is planned."""

    name: str
    """What it is called: what is varied, with its values."""
    varied: dict[str, str] = {}
    """What is varied -> its value, as it was stated."""
    applied: Applied
    """All that is applied to the facts of the case."""


class ScenarioMaterial(Record):
    """A material in the plan of a scenario, over the whole plan."""

    material: str
    wanted_kg: Number
    """By all demands; what makers take is not in it."""
    short_kg: Number
    bought_kg: Number
    cost: Number
    """Price, charges and freight of what is bought, not discounted."""


class ScenarioPurchase(Record):
    """What the plan of a scenario buys of an offer for some end uses at a place, over the whole plan."""

    material: str
    end_use: str
    """End uses it may serve."""
    offer: str
    facility: str
    country: str
    place: str
    quantity_kg: Number
    share: Number
    """Of the kilograms that are bought of the material."""
    cost: Number
    """Price, charges and freight, not discounted."""


class ScenarioPlan(Record):
    """The plan of one scenario."""

    status: Literal["optimal", "feasible", "infeasible", "interrupted", "unconfirmed", "error"]
    """As of a plan; `error`: there is none, and the message says why."""
    message: str = ""
    """What went wrong; of rules that cannot hold together, which."""
    bound: Number | None = None
    """No plan has a lower objective."""
    cost: Cost | None = None
    """Money spent by part, and the objective, as `plan` tells them."""
    demands_short: int = 0
    """Demands of which anything is short."""
    materials: tuple[ScenarioMaterial, ...] = ()
    purchases: tuple[ScenarioPurchase, ...] = ()

    @cached_property
    def failed(self) -> bool:
        """Whether there is no plan."""
        return self.status == FAILED


class KeptScenario(Record):
    """The plan of one scenario as it is kept: in a few figures, and whole, so that they can be checked."""

    told: ScenarioPlan
    entries: str = ""
    """The plan itself, as compressed JSON; empty: there is none."""


class SweptScenario(Record):
    """A scenario of a sweep with its plan."""

    number: Annotated[int, Field(ge=1)]
    """Its place in the order in which scenarios were given."""
    name: str
    varied: dict[str, str] = {}
    """What is varied -> its value, as it was stated."""
    plan: ScenarioPlan


class Scenarios(Sequence[SweepScenario]):
    """The scenarios of a sweep, each made when it is looked at: of many only what they are made of is held."""

    def __init__(self, count: int, make: Callable[[int], SweepScenario]) -> None:
        """So many, made by their places, from 0."""
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> SweepScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweepScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweepScenario | tuple[SweepScenario, ...]:
        """One of them, or several."""
        here = range(self._count)[place]
        return self._make(here) if isinstance(here, int) else tuple(map(self._make, here))


class SweptScenarios(Sequence[SweptScenario]):
    """Scenarios with their plans, each read when it is looked at."""

    def __init__(self, asked: Sequence[SweepScenario], places: Sequence[int], plan: Callable[[int], str]) -> None:
        """Those of some places, from 0, of all that were asked; `plan` yields the JSON of each."""
        self._asked, self._places, self._plan = asked, places, plan

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> SweptScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweptScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweptScenario | tuple[SweptScenario, ...]:
        """One of them, or several."""
        found = self._places[place]
        return self._read(found) if isinstance(found, int) else tuple(map(self._read, found))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[SweptScenario, ...]], tuple[tuple[SweptScenario, ...]]]:
        return tuple, (tuple(self),)

    def _read(self, place: int) -> SweptScenario:
        one = self._asked[place]
        kept = KeptScenario.model_validate_json(self._plan(place))
        return SweptScenario(number=place + 1, name=one.name, varied=one.varied, plan=kept.told)


def _kept(value: Any, validated: Callable[[Any], Sequence[SweptScenario]]) -> Sequence[SweptScenario]:
    return value if isinstance(value, SweptScenarios) else tuple(validated(value))


_PLAN_COLUMNS = ("status", "message", "bound", "demands_short")
Row = dict[str, object]
"""A row of a table: column -> text, number, or nothing."""


class Sweep(QuestionResult):
    """Many scenarios of a case, each planned by itself as `plan` would plan it, in the order in which they were given."""

    TABLES: ClassVar[tuple[str, ...]] = ("totals", "materials", "purchases")
    """A row a scenario; a row a scenario and material; a row a scenario, material, end use, offer and place."""

    case: str
    currency: str
    axes: tuple[str, ...] = ()
    """What is varied, in order."""
    objective: Number | None = None
    """Of the plan without any of the scenarios: present value, penalties included. None: it was not made."""
    cash: Number | None = None
    """Cash that this plan spends."""
    scenarios: Annotated[
        Sequence[SweptScenario], WrapValidator(_kept), PlainSerializer(tuple, return_type=tuple[SweptScenario, ...])
    ] = ()
    """A tuple, or `SweptScenarios`, which reads each when it is looked at."""
    unasked: int = 0
    """Scenarios that were not planned, since the user ended the sweep, or its time was up."""
    kept: int = Field(default=0, exclude=True)
    """Scenarios whose plans its folder held before; no part of its data, which are the same without."""

    @cached_property
    def failed(self) -> tuple[SweptScenario, ...]:
        """Scenarios without a plan."""
        return tuple(one for one in self.scenarios if one.plan.failed)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table, in order."""
        if table == "totals":
            return ("number", "name", *self.axes, *_PLAN_COLUMNS, *Cost.model_fields)
        record = ScenarioMaterial if table == "materials" else ScenarioPurchase
        return ("number", "name", *record.model_fields)

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, in order."""
        for one in self.scenarios:
            yield from self.rows_of(one, table)

    def rows_of(self, one: SweptScenario, table: str) -> Iterator[Row]:
        """Those of one scenario."""
        head: Row = {"number": one.number, "name": one.name}
        if table == "totals":
            yield {**head, **_axes(self.axes, one), **_totals(one.plan)}
        else:
            entries = one.plan.materials if table == "materials" else one.plan.purchases
            yield from ({**head, **entry.__dict__} for entry in entries)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """One of `TABLES`, the totals if none is named, as a data frame; numbers are doubles.

        Raises:
            ValueError: for another table.
        """
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        rows = [{key: as_double(value) for key, value in row.items()} for row in self.rows(name)]
        return pandas.DataFrame(rows, columns=list(self.columns(name)))


def as_double(value: object) -> Any:
    """A cell as tools for tables take it."""
    return float(value) if isinstance(value, Decimal) else value


def _axes(axes: tuple[str, ...], one: SweptScenario) -> Row:
    return {axis: one.varied.get(axis, "") for axis in axes}


def _totals(plan: ScenarioPlan) -> Row:
    cost = {name: None if plan.cost is None else getattr(plan.cost, name) for name in Cost.model_fields}
    return {**{name: getattr(plan, name) for name in _PLAN_COLUMNS}, **cost}


_PIECE = 2**20
"""Bytes that are copied at once."""
_GROUP = 50_000
"""Rows of a table that are held until they are written as Parquet, which keeps so many together."""
_NUMBERS = {*Cost.model_fields, "bound", "wanted_kg", "short_kg", "bought_kg", "quantity_kg", "share", "cost"}
"""Columns of numbers that are no whole ones; whatever is varied is a text."""


def write_tables(found: Sweep, folder: Path, *, parquet: bool) -> None:
    """Writes every table, in the place of one that is there.

    Raises:
        InputError: if Parquet is asked for, and what writes it is not installed.
        OSError: if a file cannot be written.
    """
    with ExitStack() as stack:
        files = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
        sheets = {table: _Csv(found.columns(table), files[table]) for table in found.TABLES}
        wide: dict[str, _Parquet] = {}
        if parquet:
            sinks = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
            wide = {table: _Parquet(found.columns(table), sinks[table]) for table in found.TABLES}
        for one in found.scenarios:  # each is read once
            for table in found.TABLES:
                rows = list(found.rows_of(one, table))
                sheets[table].add(rows)
                if wide:
                    wide[table].add(rows)
        for table in found.TABLES:
            replace_file(folder / f"{table}.csv", _pieces(sheets[table].done()))
            if wide:
                replace_file(folder / f"{table}.parquet", _pieces(wide[table].done()))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, _PIECE), b"")


def refuse_without_parquet(folder: Path | None) -> None:
    """Refuses to write Parquet where nothing is written, or where what writes it is not installed: before the work, not after it.

    Raises:
        InputError: if so.
    """
    if folder is None:
        raise InputError("there is nothing to write as Parquet", column="--parquet", fix="name a folder with --out")
    try:
        import pyarrow.parquet  # noqa: F401 - whether it is there
    except ImportError as error:
        fix = 'pip install "friendshore-sweep[parquet]"'
        raise InputError(
            "Parquet is written with pyarrow, which is not installed", column="--parquet", fix=fix
        ) from error


class _Csv:
    """A table as CSV, with every digit."""

    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        self._columns = columns
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(map(cell_inert, columns))

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        self._writer.writerows([_cell(row[column]) for column in self._columns] for row in rows)

    def done(self) -> IO[bytes]:
        """The file, with all of them."""
        self._text.flush()
        self._text.detach()
        return self._file


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else cell_inert(str(value))


class _Parquet:
    """A table as Parquet, numbers as doubles."""

    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._columns, self._file = columns, file
        self._schema = pyarrow.schema([(column, _kind(column)) for column in columns])
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema)
        self._rows: list[Row] = []

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        self._rows += rows
        if len(self._rows) >= _GROUP:
            self._write()

    def done(self) -> IO[bytes]:
        """The file, with all of them."""
        self._write()
        self._writer.close()
        return self._file

    def _write(self) -> None:
        import pyarrow

        values = ([as_double(row[column]) for row in self._rows] for column in self._columns)
        arrays = [pyarrow.array(each, field.type) for each, field in zip(values, self._schema, strict=True)]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def _kind(column: str) -> object:
    import pyarrow

    if column in _NUMBERS:
        return pyarrow.float64()
    return pyarrow.int64() if column in ("number", "demands_short") else pyarrow.string()


JOURNAL = "journal.jsonl"
MOST_HELD = 32 * 2**20
"""Bytes of plans that are held in memory; more lie in a file without a name."""
_FORMAT = 2
"""Of a line; a plan of another one is not believed."""


def keys(
    facts: Inputs, plugins: Iterable[RunPlugin], settings: Mapping[str, object], asked: Iterable[Applied]
) -> list[str]:
    """For each scenario, what tells its plan from all others: the facts as they were given, the code that reads them, the settings, and what is applied.

    What a scenario is called does not matter, nor which others the case has: its changes do.
    """
    used = [one.model_dump_json() for one in plugins]
    same = json.dumps(
        [_FORMAT, versions(), version("friendshore-sweep"), dict(settings), facts.digest, used], sort_keys=True
    )
    return [sha256(f"{same} {_spelt_out(facts, one)}".encode()).hexdigest() for one in asked]


def _spelt_out(facts: Inputs, applied: Applied) -> str:
    try:
        changes = (*scenario_changes(facts.case, applied.scenario), *applied.changes)
    except InputError:  # no such scenario, as its plan will say
        return applied.model_dump_json()
    return applied.but(scenario=(), changes=changes).model_dump_json()


class Journal:
    """The plans that are known, in a file of its own, and where new ones are written."""

    def __init__(self, file: Path | None, known: Iterable[tuple[str, str]] = ()) -> None:
        """Knows some plans by key, as JSON; without a file, nothing is kept beyond this process."""
        self._held = SpooledTemporaryFile(MOST_HELD)  # noqa: SIM115 - as long as anybody may look at a plan
        weakref.finalize(self, self._held.close)
        self._places: dict[str, tuple[int, int]] = {}
        self._believed: set[str] = set()
        for key, plan in known:
            self._hold(key, plan)
        self._file = None if file is None else file.open("ab")
        if self._file is not None and self._file.tell():
            self._file.write(b"\n")  # the last line may be cut off

    def __contains__(self, key: str) -> bool:
        """Whether a plan is known, and was made or checked by this process."""
        return key in self._believed

    def known(self, key: str) -> str | None:
        """Return a plan as JSON, checked or not; None: there is none."""
        return self.plan(key) if key in self._places else None

    def plan(self, key: str) -> str:
        """Return a plan that is known, as JSON."""
        start, length = self._places[key]
        self._held.seek(start)
        return self._held.read(length).decode()

    def add(self, key: str, plan: str) -> None:
        """Believe a plan, given as JSON, and see it onto the disk, unless it is there already.

        Raises:
            OSError: if it cannot be written.
        """
        self._believed.add(key)
        if self.known(key) == plan:
            return
        self._hold(key, plan)
        if self._file is not None:
            self._file.write(_line(key, plan))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Ends writing; what is known can still be looked at."""
        if self._file is not None:
            self._file.close()

    def _hold(self, key: str, plan: str) -> None:
        start = self._held.seek(0, os.SEEK_END)
        self._places[key] = start, self._held.write(plan.encode())


@contextmanager
def kept(folder: Path | None, *, resume: bool, rerun: bool) -> Iterator[Journal]:
    """The journal of a folder, which is made if it is not there; None: nothing is kept.

    Args:
        folder: where the sweep is kept.
        resume: whether what it holds is taken up; else it must not be there.
        rerun: whether scenarios that failed are planned again.

    Raises:
        InputError: if the folder is there and is not to be taken up, or is no folder of a sweep.
        OSError: if it cannot be read or written.
    """
    if folder is None:
        yield Journal(None)
        return
    file = folder / JOURNAL
    if (folder.exists() or folder.is_symlink()) and not resume:
        raise InputError(
            "is there already, and is left as it is",
            str(folder),
            fix="go on with the sweep in it: --resume; or name another folder",
        )
    if folder.exists() and not file.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("is no folder of a sweep, and is left as it is", str(folder), fix="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(file, _read(file, rerun=rerun) if file.is_file() else ())
    try:
        yield journal
    finally:
        journal.close()


_KEY_MARK, _PLAN_MARK = b'{"key":"', b'","plan":'
"""What stands before the key, and between it and the plan."""


def _line(key: str, plan: str) -> bytes:
    rest = b"".join((_KEY_MARK, key.encode(), _PLAN_MARK, plan.encode(), b"}"))
    return sha256(rest).hexdigest().encode() + b" " + rest + b"\n"


def _read(file: Path, *, rerun: bool) -> Iterator[tuple[str, str]]:
    """Key and plan of every line that is as it was written."""
    with file.open("rb") as lines:
        for line in lines:
            told, _, rest = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"}\n") or sha256(rest).hexdigest().encode() != told:
                continue
            key, between, plan = rest.removeprefix(_KEY_MARK)[:-1].partition(_PLAN_MARK)
            try:
                known = KeptScenario.model_validate_json(plan)
            except ValidationError:
                continue
            if between and not (rerun and known.told.failed):
                yield key.decode(), plan.decode()


def put_in_order(folder: Path, keys: Iterable[str], journal: Journal) -> None:
    """Writes the journal of a sweep that is done anew: its scenarios in their order, and nothing else.

    Raises:
        OSError: if it cannot be written.
    """
    replace_file(folder / JOURNAL, (_line(key, journal.plan(key)) for key in dict.fromkeys(keys)))
