"""The built-in kinds that judge and charge."""
