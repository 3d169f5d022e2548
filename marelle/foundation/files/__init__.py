"""Families' files: judged by what they hold, kept sealed, served only through a view that knows who may see."""
