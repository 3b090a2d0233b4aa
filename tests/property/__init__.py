"""Properties: the optimiser against brute force, invariances and laws."""
