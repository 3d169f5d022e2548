"""What any page is measured beside: a plain Django page of 200 cells and three queries, served by the same processes,
through the same middleware, from the same database, to the same clients."""
