"""US tariffs: a rule pack for friendshore, data only."""
