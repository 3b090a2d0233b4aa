"""Builders of small cases, for tests that have not moved to `tests.building` yet."""

from tests.building import *  # noqa: F403
