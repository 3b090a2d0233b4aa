"""The open data that comes with friendshore, itself a plugin: one folder a catalog, no code."""
