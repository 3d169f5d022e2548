"""Health files: what one holds, who may open it and what then is written down, when it is reminded of and erased."""
