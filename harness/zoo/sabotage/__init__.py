"""
Sabotage of the harness: whatever is done to it, the verdict must be unknown, never held and never violated.

Each sabotage is a function that is given the ground to do it on and returns the result of the experiment it spoiled.
"""
