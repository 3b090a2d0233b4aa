"""Rules: the base class with its three verbs, the terms of limits, and the built-in kinds."""
