"""The acts that matter for security: by whom, by what right and from where. They are kept, and never changed."""
