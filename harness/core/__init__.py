"""Pure core: values in, values out; no clock, socket, randomness, environment or logging."""
