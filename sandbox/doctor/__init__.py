"""Finds out what is wrong with this machine, with a settings file, or with a deployed app."""
