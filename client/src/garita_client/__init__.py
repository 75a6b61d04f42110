"""The async client library and the garita command."""
