"""The launcher behind make run: the whole stack on one machine."""
