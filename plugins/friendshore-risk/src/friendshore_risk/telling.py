"""Tables of answers, in full or on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from friendshore.document import elements as doc
from friendshore.questions.wording import left_out, on_screen


@dataclass(frozen=True, slots=True)
class Telling:
    """How much of tables is told."""

    top: int
    """Rows shown of each table; 0: all."""
    screen: bool = False
    """Whether it is for a screen: of each table as many rows as there is room for, one line each."""

    def tables(
        self,
        columns: Sequence[doc.Column],
        rows: Sequence[Sequence[doc.Cell]],
        one: str,
        many: str = "",
        *,
        part: int = 1,
        notes: Sequence[str] = (),
    ) -> tuple[doc.DataTable, doc.Notes | None]:
        """A table, and what is left out of it.

        Args:
            columns: of the table.
            rows: all of them, those that matter most first.
            one: what one that is left out is called, with `more`.
            many: what several are called, if not `one` with an s.
            part: its part of the room of a screen, beside that of other tables.
            notes: what else is said below it.
        """
        if self.screen:
            return on_screen(columns, rows, one, many, part=part, top=self.top), doc.notes(notes)
        kept = rows[: self.top or None]
        return doc.table(columns, kept), doc.notes([*left_out(len(rows) - len(kept), one, many), *notes])

    def several(self, names: Sequence[str], named: int, between: str = ", ") -> doc.Cell:
        """Things in the order of their weight: on a screen as many as there is room for, else the first few, and how many more there are."""
        if self.screen:
            return doc.Several(tuple(names), between=between)
        rest = [f"{len(names) - named} more"] if len(names) > named else []
        return between.join([*names[:named], *rest])
