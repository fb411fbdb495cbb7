"""Search: an index of the projects that this server holds, and the page that asks it."""
