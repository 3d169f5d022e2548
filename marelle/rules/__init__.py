"""The town's rules as pure functions: frozen dataclasses in, decisions out; no Django, no database, no clock."""
