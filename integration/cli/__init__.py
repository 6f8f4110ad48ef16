"""Commands for a deployed app, and for a running sandbox; nothing of the app itself needs them."""
