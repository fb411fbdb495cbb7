"""Other programs: pip, uv, virtual environments, and the configuration files of packaging tools."""
