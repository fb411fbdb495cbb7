"""Writes down what happens on a server: ``server`` is the plugin that does, ``client`` shows it on the terminal."""
