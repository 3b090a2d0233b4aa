"""Documents of sections, sentences, notes, and tables of typed cells, and their renderers."""
