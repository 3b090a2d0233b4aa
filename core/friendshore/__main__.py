"""The program `friendshore`, and `python -m friendshore`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line, and return its exit code. While commands load, for a third of a second, Ctrl-C ends the process at once, without a traceback."""
    listening = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not where Ctrl-C is ignored
    if listening:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main as run

    if listening:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()


if __name__ == "__main__":
    sys.exit(main())
