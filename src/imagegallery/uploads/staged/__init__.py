"""Files that wait to become images in a transaction of the application's own."""
