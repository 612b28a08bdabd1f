"""
The detection score: whether the oracle catches what is broken, leaves alone what is right, and never says held of a run that proves nothing.

A zoo is a command that lists integrations: broken ones, which say what they break, and correct ones that do it differently. They
are measured against it as `handoff run` would judge them; the sabotages are done to the harness itself.
"""
