"""The ERP fake: NetSuite-shaped SuiteTalk REST over an in-memory account."""
