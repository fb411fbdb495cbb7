"""Moves a whole server: reads and checks an export of devpi or of this server, imports it, and writes an export."""
