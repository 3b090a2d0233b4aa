"""Random ranked objectives."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from friendshore.domain.case import Level

from .facts import Draw


@st.composite
def levels(draw: Draw[Any], within: bool = False) -> Level:
    """Any level; about some end use, material or element, or about all."""
    minimize = draw(st.sampled_from(("shortage", "shortage", "cost", "spend", "concentration", "concentration")))
    words: dict[str, Any] = {"minimize": minimize}
    if minimize == "shortage":
        words["of"] = draw(st.sampled_from(((), ("defense",), ("civil",), ("metal", "oxide"), ("metal-defense",))))
    if minimize == "concentration":
        words["of"] = draw(st.sampled_from(((), ("metal",), ("oxide", "metal"), ("Dy",))))
        words["by"] = draw(st.sampled_from(("country", "country", "supplier", "parent", "facility")))
        words["per"] = draw(st.sampled_from(("period", "year", "horizon")))
        if words["by"] == "country":
            words["stage"] = draw(st.sampled_from((None, None, "mined", "melted")))
    if within:
        words["within"] = draw(st.sampled_from(("0", "0.02", "0.3")))
    return Level.model_validate(words)


def about_these(level: Level, names: set[str]) -> Level:
    """The level about those of its names that the case knows: any other is refused."""
    return level.but(of=tuple(name for name in level.of if name in names))
