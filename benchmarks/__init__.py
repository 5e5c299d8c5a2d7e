"""Benches of `python3 manage.py bench`."""
