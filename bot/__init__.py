"""The package that talks: one customer's turn from words in to words out, and its record."""
