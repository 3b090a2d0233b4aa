"""The headings of a page: their ids, each given once, and the table of contents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .markup import Markup, joined, tag, text

_DEEPEST = 6
_LISTED = 3
"""Level down to which headings stand in the table of contents."""
_LONG = 32
"""Letters beyond which a heading is listed by what stands before its colon."""


@dataclass(slots=True)
class Outline:
    """What a page has named so far."""

    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    """Level, id and title."""
    mapped: bool = False
    """Whether there is a map."""

    def fresh(self, name: str) -> str:
        """An id that nothing else on the page has: the name's letters and digits, and a number where it is taken."""
        stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60] or "part"
        found, number = stem, 1
        while found in self.ids:
            number += 1
            found = f"{stem}-{number}"
        self.ids.add(found)
        return found

    def heading(self, level: int, title: str, class_: str | None) -> Markup:
        """A heading, which the table of contents leads to."""
        level = min(level, _DEEPEST)
        id_ = self.fresh(title)
        self.headings.append((level, id_, title))
        return tag(f"h{level}", text(title), id=id_, class_=class_)

    def contents(self) -> Markup:
        """The table of contents; nothing where there is but one heading to go to."""
        listed = [(level, id_, title) for level, id_, title in self.headings if level <= _LISTED]
        if len(listed) < 2:
            return joined(())
        items = (
            tag("li", tag("a", text(_short(title)), href=f"#{id_}"), class_=None if level == 2 else "sub")
            for level, id_, title in listed
        )
        heading = tag("h2", text("Contents"), id=self.fresh("contents"))
        return tag("nav", heading, tag("ol", joined(items)), aria_label="Contents", class_="contents")


def _short(title: str) -> str:
    return title.partition(": ")[0] if len(title) > _LONG else title
