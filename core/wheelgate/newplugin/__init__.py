"""``python -m wheelgate.newplugin NAME`` writes the distribution of a plugin, with tests that pass at once."""
