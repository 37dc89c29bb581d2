"""What an application of a certain kind plugs in: Django, SQLAlchemy, Jinja. Nothing else imports them."""
