"""The stand-in of Business Central, as the suite of the adapters has it."""

from tests.contract.integration.systems.conftest import business_central, business_central_system

__all__ = ["business_central", "business_central_system"]
