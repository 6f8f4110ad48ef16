"""The intake: takes events in over HTTP, from queues, topics and hubs, and queues them durably."""

from integration.intake.business_central_intake import BusinessCentralIntake
from integration.intake.business_events import BusinessEvents, BusinessEventsQueue
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.erp_intake import ErpIntake
from integration.intake.event_grid_intake import EventGridIntake
from integration.intake.intake import Intake
from integration.intake.receiving import EndpointMessage
from integration.intake.service_endpoints import ServiceEndpoints
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn

__all__ = [
    "Accepted",
    "BusinessCentralIntake",
    "BusinessEvents",
    "BusinessEventsQueue",
    "DataverseContexts",
    "EndpointMessage",
    "ErpIntake",
    "EventGridIntake",
    "Intake",
    "IntakeRequest",
    "ServiceEndpoints",
    "TakingIn",
]
