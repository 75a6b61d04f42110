"""Load from processes of its own against a stack of its own, and a bare protocol beside it: scenarios, figures, table and plot."""
