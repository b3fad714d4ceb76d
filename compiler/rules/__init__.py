"""The checks over the resolved model, one file a family."""
