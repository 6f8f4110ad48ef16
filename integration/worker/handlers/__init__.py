"""What is done about which table's messages."""
