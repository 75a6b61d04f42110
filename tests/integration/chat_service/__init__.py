"""The chat service with a real database and a real Redis."""
