"""What ``devpi-server`` can do instead of serving."""
