"""Connection strings of the sandbox's storage, and how the library `deltalake` reaches it."""


def connection_parts(connection: str) -> dict[str, str]:
    """The parts of a connection string by their names: AccountName, AccountKey, TableEndpoint, ..."""
    return dict(it.split("=", 1) for it in connection.split(";") if "=" in it)


def delta_options(connection: str) -> dict[str, str]:
    """Its `storage_options`, from a connection string of Azurite."""
    parts = connection_parts(connection)
    return {
        "azure_storage_account_name": parts["AccountName"],
        "azure_storage_account_key": parts["AccountKey"],
        "azure_storage_endpoint": parts["BlobEndpoint"],
        "allow_http": "true",
    }
