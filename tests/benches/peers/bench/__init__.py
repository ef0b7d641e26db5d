"""The runner of `make bench-peers`: servers, contestants, what is measured, and the table."""
