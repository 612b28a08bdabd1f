"""Stateful fakes of the vendors; each runs alone as a server and knows nothing of the harness."""
