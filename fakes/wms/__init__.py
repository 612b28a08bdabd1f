"""A warehouse management system: orders, allocations, shipments and stock at two locations, over a vendor-neutral REST API."""
