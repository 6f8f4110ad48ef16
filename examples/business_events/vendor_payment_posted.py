"""A payment to a vendor was posted: nothing has to be done here; analytics gets it, and Power Automate may listen."""

from examples.business_events._apis import VENDOR_PAYMENT_POSTED
from integration.flow import EventFlow

flow = EventFlow(VENDOR_PAYMENT_POSTED, key="Number")
