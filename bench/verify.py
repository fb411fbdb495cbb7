"""A bare process that verifies a password with argon2, for each line of its input as often as the line says."""

from __future__ import annotations

import sys

import argon2


def main() -> None:
    """Answer each line after the verifications."""
    hasher = argon2.PasswordHasher()
    stored = hasher.hash("a rather long password")
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            hasher.verify(stored, "a rather long password")
        print("done", flush=True)


if __name__ == "__main__":
    main()
