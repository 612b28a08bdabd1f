"""Prove that a retail integration resolves its exceptions as declared."""

__version__ = "0.1.0"
