"""The HTTP face of imagegallery: a thin Starlette application."""
