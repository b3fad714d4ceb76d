"""The pure machine: frames, what a completed node does to them, joins, positions."""
