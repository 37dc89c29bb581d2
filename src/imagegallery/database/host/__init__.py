"""A host's own connection, inside the host's own transaction, made usable for our statements."""
