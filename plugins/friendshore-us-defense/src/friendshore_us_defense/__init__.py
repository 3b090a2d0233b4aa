"""US defense procurement law: rule packs for friendshore, data only."""
