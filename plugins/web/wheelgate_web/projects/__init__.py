"""The pages of a project, of one version, and of where a project comes from."""
