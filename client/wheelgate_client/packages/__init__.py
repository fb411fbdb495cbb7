"""Builds, finds, uploads and tests release files."""
