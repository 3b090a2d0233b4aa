"""What is told to people, before it is text: documents of sections, sentences, notes and tables of typed cells, and what writes them.

A question makes a document of its answer and knows no renderer; a renderer (`terminal`, `markdown`) writes any document and knows no question.
Why: `docs/decisions/documents.md`.
"""
