"""A lifelike day for the console: events that came in, some of which failed, and what people did about them."""
