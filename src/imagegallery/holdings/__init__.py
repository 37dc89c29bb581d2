"""What features keep of owners: which rows of which tables, and how exports read and erasures delete them."""
