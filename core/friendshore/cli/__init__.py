"""The command line."""

from __future__ import annotations

from .app import app, main
from .groups import Command

__all__ = ["Command", "app", "main"]
