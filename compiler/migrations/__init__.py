"""Migrations of graphs: as plans hold them, and checked against the forms of the graphs they are from."""
