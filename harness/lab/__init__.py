"""Bring systems up and down; own every process, port and folder that is started for them."""
