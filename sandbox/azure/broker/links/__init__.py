"""What serves the links of a connected client, one kind of link in each file; `peer` chooses among them."""
