"""Descriptions of releases as HTML: rendered in a child process, within limits, and kept in the database."""
