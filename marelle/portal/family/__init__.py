"""The family's own page and its corrections, as data for the templates."""
