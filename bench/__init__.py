"""Measuring the whole stack with real input, as its users would meet it."""
