"""The gunicorn process: its preparation, its master and its ASGI worker."""
