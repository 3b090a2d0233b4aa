"""US defence procurement law: rule packs for friendshore, data only."""
