"""Rules of the chat service."""
