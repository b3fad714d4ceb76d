"""From canonical forms to what can be done with them: versions of graphs that need no generated code."""
