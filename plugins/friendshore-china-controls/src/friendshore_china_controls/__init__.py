"""Chinese export controls: a rule pack for friendshore, data only."""
