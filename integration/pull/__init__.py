"""What is asked of Dataverse, in place of waiting to be told: what has changed, what is missing, whole tables."""
