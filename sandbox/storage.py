"""How the library `deltalake` reaches the storage of the sandbox."""


def delta_options(connection: str) -> dict[str, str]:
    """Its `storage_options`, from a connection string of Azurite."""
    parts = dict(it.split("=", 1) for it in connection.split(";") if "=" in it)
    return {
        "azure_storage_account_name": parts["AccountName"],
        "azure_storage_account_key": parts["AccountKey"],
        "azure_storage_endpoint": parts["BlobEndpoint"],
        "allow_http": "true",
    }
