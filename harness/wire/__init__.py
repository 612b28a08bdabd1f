"""The wire: the tap that records and leads exchanges, and the toxic engine; both in one process (docs/wire.md)."""
