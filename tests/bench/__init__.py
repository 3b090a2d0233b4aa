"""How fast friendshore is beside what a user would write by hand: `uv run python -m tests.bench`."""
