"""What can be seen of a run from outside: events, chunks, sinks, streams, logs, traces."""
