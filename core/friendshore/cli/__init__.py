"""The command line. Commands only gather what they are given, call the library, and show the answer.

What is slow to import is imported within the commands, so that `--help` is quick and works whatever is installed.
"""

from __future__ import annotations

from .app import app, main
from .groups import Command

__all__ = ["Command", "app", "main"]
