"""The EU's Critical Raw Materials Act: a rule pack for friendshore, data only."""
