"""
A zoo of integrations: the reference with exactly one part replaced.

The broken ones each break a promise of the reference's stack, and the harness must catch them by the clause they break. The correct
ones do the same thing in another way, and the harness must not raise a false alarm. `python -m scenarios.zoo NAME` runs one, in the
environment of the reference; `python -m scenarios.zoo --list` lists them as JSON.
"""
