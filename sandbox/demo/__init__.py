"""The demo: a handful of events, shown on their way and checked at the end."""
