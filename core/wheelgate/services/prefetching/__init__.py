"""Resolves requirements for other machines, and fills the caches of mirrors with what they need."""
