"""The blind roll: keyed digests of who is registered, made offline, carried in, and asked one at a time."""
