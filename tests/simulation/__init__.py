"""The engine under a scheduler, clock, store and node faults that are all driven by one seed."""
