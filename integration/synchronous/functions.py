"""The HTTP trigger for checks.

A synchronous webhook step lets the save through after a 2xx, and refuses it after everything else; of an answer it
evaluates no more than the status (learn.microsoft.com, "Use WebHooks"). So a refusal is 400 with the sentence as plain
text, and no answer in time is 500 with the check's own: after 502, 503 and 504 Dataverse would ask once more, and the
user would wait twice. A plug-in that asks by itself adds `?answer=json`, gets 200 with the result, and throws the
sentence as an InvalidPluginExecutionException, which Dataverse shows to the user as it is.
"""

import json

import azure.functions as func

from integration.intake import IntakeRequest
from integration.intake.answers import answered
from integration.synchronous.answering import Answered, Answering


def blueprint(answering: Answering) -> func.Blueprint:
    """Bind the endpoint. It is anonymous at the host: the intake checks keys itself and says why it refuses."""
    bp = func.Blueprint()

    @bp.route(route="dataverse/custom/{name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def dataverse_custom(req: func.HttpRequest) -> func.HttpResponse:
        async def answer(request: IntakeRequest) -> func.HttpResponse:
            found = await answering.answer(req.route_params["name"], request)
            return _for_a_plug_in(found) if req.params.get("answer") == "json" else _for_a_step(found)

        return await answered(req, answer)

    return bp


def _for_a_step(found: Answered) -> func.HttpResponse:
    if found.result.allowed:
        return func.HttpResponse(status_code=200)
    return func.HttpResponse(
        found.result.message, status_code=400 if found.by_check else 500, mimetype="text/plain", charset="utf-8"
    )


def _for_a_plug_in(found: Answered) -> func.HttpResponse:
    said = {"allowed": found.result.allowed, "answered": found.by_check, "message": found.result.message}
    return func.HttpResponse(json.dumps(said), mimetype="application/json")
