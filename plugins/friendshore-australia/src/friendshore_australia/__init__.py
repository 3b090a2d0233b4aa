"""Australian sources of critical minerals: a catalog for friendshore, data only."""
