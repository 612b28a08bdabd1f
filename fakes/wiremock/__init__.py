"""
A vendor that WireMock plays: its mappings answer, this process stands in front of it and is its control plane.

What the kit does for every fake it does here too: faults per call, records, journal. WireMock is handed what is remembered
with each call, as headers, and its mappings match on them and show them.
"""
