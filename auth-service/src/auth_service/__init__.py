"""The auth service: accounts, login, second factors, sessions, tokens."""
