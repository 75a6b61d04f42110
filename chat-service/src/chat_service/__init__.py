"""The chat service: rooms, messages, history, files."""
