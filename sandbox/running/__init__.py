"""One sandbox as a whole: its processes, its state directory, its addresses, and the registration in Dataverse."""
