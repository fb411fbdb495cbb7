"""Logs what happens on a server: the plugin ``server`` writes the log, and ``client`` shows it in the terminal."""
