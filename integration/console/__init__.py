"""The pages of the support desk at /api/console: rendered on the server, complete without JavaScript."""
