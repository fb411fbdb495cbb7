"""The gunicorn process: what happens before it listens, its master, and its ASGI worker."""
