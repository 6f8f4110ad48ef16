"""What a deployed environment is made of and costs, and the keys in its vault."""
