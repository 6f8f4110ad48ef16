"""An output binding, which this host does not have."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="out")
@app.service_bus_queue_output(arg_name="out", queue_name="next", connection="ServiceBus")
def sends(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    out.set("x")
    return func.HttpResponse("sent")
