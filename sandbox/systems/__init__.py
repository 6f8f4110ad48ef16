"""Stand-ins for Dataverse, the ERP and credit scoring, and the HTTP server that they share."""
