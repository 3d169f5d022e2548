"""Attestations that the portal issues by itself, at once: what it knows, written down, numbered, and checked by whoever
is shown it."""
