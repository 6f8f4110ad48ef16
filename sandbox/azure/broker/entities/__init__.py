"""Queues, topics with subscriptions, and event hubs, with the engine that drives them and the store that keeps them."""
