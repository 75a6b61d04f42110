"""What the chat service decides: values and the time in, values out; no store, clock, random source or wait."""
