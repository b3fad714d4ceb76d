"""From a position under one version of a graph to a position under another."""
