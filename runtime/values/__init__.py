"""Values of states: what expressions compute with, how states change and are undone, their JSON."""
