"""Whether a run may go on under another version of its graph, and why not."""
