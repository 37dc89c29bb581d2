"""All that is kept of an owner: told to them as an archive, and erased."""
