"""The app's settings: a module for each subject, and `Settings`, which has them all."""

from integration.settings.reading import Settings

__all__ = ["Settings"]
