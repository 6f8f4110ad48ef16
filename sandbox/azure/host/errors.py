"""Why the host refuses to start."""


class HostStartError(Exception):
    """The app or its settings cannot be run; the message says what to change."""
