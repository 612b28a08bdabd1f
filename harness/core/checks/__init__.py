"""
Judgements over a history, one family a file.

Every check takes a history first and what was declared after it, returns a `CheckResult`, and runs only behind the
evidence gates. None drives, waits or looks at anything but its arguments.
"""
