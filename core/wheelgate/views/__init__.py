"""Reads users, indices and packages for the routes of plugins, as far as the caller of the request may see them."""
