"""The lab of containers: the same parts as the embedded one, each in a container of its own, on a network of their own."""
