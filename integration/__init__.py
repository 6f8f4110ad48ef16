"""What is deployed: Dataverse publishes, Azure processes."""
