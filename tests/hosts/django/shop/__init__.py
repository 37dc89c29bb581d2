"""An app of a Django project, as tests need it."""
