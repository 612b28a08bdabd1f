"""
Run experiments in labs: settle, arm, drive, wait, collect, bring to rest.

The engine decides nothing about the integration: it leaves a record, and the core judges the history that makes.
"""
