"""What the gateway decides: no socket, clock, file or random source in here."""
