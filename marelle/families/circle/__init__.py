"""Who surrounds a child, as each home says it: whom to call, who fetches, what is allowed; and who may not come."""
