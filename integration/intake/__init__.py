"""The intake: takes events in over HTTP and queues them durably."""

from integration.intake.intake import Accepted, Intake, IntakeRequest

__all__ = ["Accepted", "Intake", "IntakeRequest"]
