"""Benchmarks: what requests, logins, starts and commands cost, beside the incumbent and an empty responder."""
