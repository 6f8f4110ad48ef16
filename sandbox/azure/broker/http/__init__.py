"""The broker over HTTP: controls for tests (`control`) and the administration API (`administration`)."""
