"""Files in which the client remembers the server and index in use."""
