"""Benchmarks: the cost of requests, logins, starts and commands, compared with the incumbent and an empty responder."""
