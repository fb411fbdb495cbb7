"""The files in which the client remembers the server and index in use, and its logins."""
