"""Watches a running sandbox: its logs, the progress of its events, and the start page."""
