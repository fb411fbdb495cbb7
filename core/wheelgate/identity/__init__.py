"""Who asks: credentials, authentication, sessions, principals and groups."""
