"""A parameter that is no binding: the whole app fails to load."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="fine")
def fine(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("fine")


@app.route(route="broken")
def broken(req: func.HttpRequest, nobody_knows: str) -> func.HttpResponse:
    return func.HttpResponse("never")
