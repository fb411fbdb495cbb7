"""Packaging lives in pyproject.toml; this file keeps ``setup.py`` in its expected place."""

from setuptools import setup

setup()
