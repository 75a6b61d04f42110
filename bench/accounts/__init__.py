"""What the auth service tells by its time, and what floods of logins do to it: a stack of its own, spoken to directly."""
