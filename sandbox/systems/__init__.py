"""Stand-ins for Dataverse, two ERPs and credit scoring, and the HTTP server that they share."""
