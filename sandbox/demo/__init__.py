"""The demo: shows a handful of events as they are processed, and checks the outcome."""
