"""The business events of this folder: what other systems report, and what their custom APIs tell whoever listens."""

from integration.flow import CustomApi

CUSTOMER_PURCHASE = CustomApi(
    "new_CustomerPurchase",
    parameters={"Number": "text", "Customer": "text", "Total": "amount", "Currency": "text", "PurchasedOn": "moment"},
    repeat_key="RepeatKey",
)
VENDOR_PAYMENT_POSTED = CustomApi(
    "new_VendorPaymentPosted",
    parameters={"Number": "text", "Vendor": "text", "Amount": "amount", "Currency": "text", "PostedOn": "moment"},
    repeat_key="RepeatKey",
)
