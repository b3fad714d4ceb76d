"""Mistakes seeded into the real graphs, and who finds them."""
