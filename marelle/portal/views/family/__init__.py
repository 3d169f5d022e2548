"""Who the family is, what it corrects of that, and all that was done in its name."""
