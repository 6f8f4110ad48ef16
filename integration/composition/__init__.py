"""The composition root: a module for each group of services, and `app`, which registers all functions."""
