"""Problems in the order in which a reader would mend them."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Diagnostic, InputError


def all_of(problems: Iterable[Diagnostic]) -> InputError:
    """One error with all problems, by file and line."""
    return InputError(sorted(problems, key=lambda p: (p.file, p.row or 0)))
