"""Command line. Commands only collect arguments, call the library, and show the answer.

Slow imports are within the commands, so that `--help` is fast and works whatever is installed.
"""

from __future__ import annotations

from .app import app, main
from .groups import Command

__all__ = ["Command", "app", "main"]
