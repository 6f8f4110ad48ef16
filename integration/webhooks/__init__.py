"""Webhooks that the app sends: who has subscribed to ended events, and the deliveries to them."""
