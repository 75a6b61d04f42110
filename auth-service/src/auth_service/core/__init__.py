"""The rules of accounts: values and the time in, values out; no socket, file, clock or random source."""
