"""The surface language: text, its syntax tree, its one layout, and what is said about it."""
