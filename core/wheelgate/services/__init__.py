"""The rules behind the request handlers, without HTTP: users and indices here, packages and releases below."""
