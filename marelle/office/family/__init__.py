"""A family's page at the agents': everything about it, made of cards. A capability adds its own file here, and its line
in `providers`."""
