"""Messages that no page sends: forged, mutated, hostile."""
