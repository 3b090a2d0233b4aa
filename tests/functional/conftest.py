"""What tests of commands share: the command line is made of its functions once, not for each command that is called in this process."""

from __future__ import annotations

from functools import cache

import typer.testing

typer.testing._get_command = cache(typer.testing._get_command)
