"""The `garita` command's parts: one module per thing a person wants to do."""
