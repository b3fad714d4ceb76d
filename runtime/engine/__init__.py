"""The driver of a run in one process: lanes, node kinds, retries, commits, and the policies it follows."""
