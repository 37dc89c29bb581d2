"""An async image backend: upload sessions, variants, galleries and responsive URLs."""
