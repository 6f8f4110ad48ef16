"""What Azure provides: Service Bus and Event Hubs, the Functions host, storage. It knows no system and no business."""
