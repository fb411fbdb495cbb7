"""Translates between HTTP and the domain: requests, answers, and refusals as status codes."""
