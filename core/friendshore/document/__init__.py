"""Documents of sections, sentences, notes, and tables of typed cells, and their renderers.

A question makes a document of its answer and knows no renderer. A renderer (`terminal`, `markdown`) writes any document and knows no question.
See `docs/decisions/documents.md` for the reasons.
"""
