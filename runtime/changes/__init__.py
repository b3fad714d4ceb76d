"""What changed between two canonical forms, element by element, in words."""
