"""A trigger that this host does not have."""

import azure.functions as func

app = func.FunctionApp()


@app.blob_trigger(arg_name="blob", path="container/{name}", connection="AzureWebJobsStorage")
def on_blob(blob: func.InputStream) -> None:
    pass
