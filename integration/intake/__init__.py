"""The intake: HTTP in, durably queued out."""

from integration.intake.intake import Accepted, Intake, IntakeRequest

__all__ = ["Accepted", "Intake", "IntakeRequest"]
