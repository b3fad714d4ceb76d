"""Barriers: what is shown, who may answer what, and how an answer is found and applied."""
