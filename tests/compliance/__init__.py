"""Random graphs, runs and edits, and a criterion of its own for what may go on under what."""
