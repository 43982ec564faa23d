"""Backends: what can write prose, one file each, behind `request.Backend`."""
