"""The HTTP front of the host: functions by route, their keys, and the admin API."""
