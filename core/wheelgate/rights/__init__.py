"""Decides who may do what: the permissions, the policies of plugins, and which indices a caller may read."""
