"""What has an address: queues, topics with subscriptions, event hubs; and what drives and stores them."""
