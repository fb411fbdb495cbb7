"""Decides about access: the permissions, the policies of plugins, and which indices a caller may read."""
