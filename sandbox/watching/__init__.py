"""Watching a running sandbox: its logs, its events as they move, and the start page."""
