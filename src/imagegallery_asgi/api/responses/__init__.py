"""What the HTTP API answers, by feature: documents whose fields are named, and ordered, as they travel.

They are encoded as they are, and `openapi` describes them. Without slots, so that JSON keeps the order.
"""
