"""The intake: takes events in over HTTP and queues them durably."""

from integration.intake.business_central_intake import BusinessCentralIntake
from integration.intake.erp_intake import ErpIntake
from integration.intake.intake import Intake
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn

__all__ = ["Accepted", "BusinessCentralIntake", "ErpIntake", "Intake", "IntakeRequest", "TakingIn"]
