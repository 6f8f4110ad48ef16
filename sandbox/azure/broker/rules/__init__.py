"""The rules of subscriptions: filters, and actions that change the copy which a subscription gets."""
