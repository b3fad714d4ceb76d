"""Sessions: from a graph and a store to a run that is driven, restored, forked, folded; and who drives it."""
