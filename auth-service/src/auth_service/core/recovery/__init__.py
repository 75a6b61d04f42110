"""Recovery: who gets an account back. Pure rules over facts and a time; nothing here reads a clock, a store or a setting by itself.

`life` says what a factor may still do, `horizon` up to when what was done counts, `places` what a network says, `phones` which number is asked first,
`points` what a proof is worth, `bands` how long to wait for it, `flow` what a recovery may do next.
"""
