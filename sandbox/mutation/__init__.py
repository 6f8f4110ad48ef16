"""Mutation testing: change the app's code in small ways, one at a time, and see whether the tests notice."""
