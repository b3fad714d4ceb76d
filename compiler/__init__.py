"""From a syntax tree to findings, a hash and typed Python."""
