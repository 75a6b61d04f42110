"""The socket gateway: admits, limits, parses, stamps and forwards."""
