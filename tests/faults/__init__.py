"""Faults: daemons killed, frozen, cut off, a server that goes away, poison, poolers: the end state is always right."""
