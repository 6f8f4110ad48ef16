"""Watches a system that has to be asked to report: subscriptions to its webhooks, a sweep of what has changed."""

from integration.watching.subscriptions import Subscriptions
from integration.watching.sweep import Sweep

__all__ = ["Subscriptions", "Sweep"]
