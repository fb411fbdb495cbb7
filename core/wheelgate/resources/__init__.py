"""One class per address: each responder parses, calls a service and answers."""
