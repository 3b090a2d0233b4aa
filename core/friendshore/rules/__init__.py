"""Rules: what they are, the three verbs, and the built-in kinds."""
