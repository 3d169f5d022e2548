"""Families brought in from a file: read (`sheets`, `columns`, `people`), gathered into homes (`homes`), compared with
what is here (`planning`), written all at once and undone (`saving`).
docs/imports.md tells it to agents; the first three
are pure. What an import may say of a line is in `remarks`, in words in `labels`."""
