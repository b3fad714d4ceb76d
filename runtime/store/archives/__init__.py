"""Archives: what goes from a store is written, and read again, as compressed JSON Lines."""
