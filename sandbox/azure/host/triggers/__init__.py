"""What calls functions by itself: Service Bus, Event Hubs, timers; `listeners` makes one for each trigger."""
