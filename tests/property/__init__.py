"""Properties: the optimizer against brute force, invariances and laws."""
