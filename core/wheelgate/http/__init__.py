"""Where the domain meets HTTP: requests in, answers out, refusals as status codes."""
