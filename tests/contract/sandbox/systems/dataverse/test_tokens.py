"""MSAL, unmodified, gets tokens from the stand-in, and the Web API asks for them as Dataverse does."""

import msal
import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, acquire, sign_in
from tests.contract.sandbox.systems.stand_in import StandIn

WHO_AM_I = "WhoAmI"


def test_msal_gets_a_token_and_the_application_user_acts(application: Dataverse) -> None:
    environment = application.environment
    answer = application.get(WHO_AM_I)
    assert answer["UserId"] == environment["application"]["user_id"]
    assert answer["OrganizationId"] == environment["organisation_id"]


def test_the_human_client_acts_as_the_human_user(human: Dataverse) -> None:
    assert human.get(WHO_AM_I)["UserId"] == human.environment["human"]["user_id"]


def test_a_wrong_secret_is_refused_in_the_words_of_entra(stand_in: StandIn, application: Dataverse) -> None:
    environment = dict(application.environment)
    environment["application"] = environment["application"] | {"secret": "wrong"}
    answer = acquire(stand_in, environment, "application")
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]
    assert answer["error_description"].startswith("AADSTS7000215: Invalid client secret provided")


def test_an_unknown_tenant_is_refused_at_discovery(stand_in: StandIn, application: Dataverse) -> None:
    client = application.environment["application"]
    with pytest.raises(ValueError, match="authority"):
        msal.ConfidentialClientApplication(
            client["client_id"],
            authority=f"{application.environment['url']}/00000000-0000-4000-8000-000000000000",
            client_credential=client["secret"],
            instance_discovery=False,
            http_client=stand_in.http,
        )


def test_without_a_live_token_the_web_api_challenges(application: Dataverse) -> None:
    """401 names where to get a token; an expired token is like none."""
    assert application.call("GET", WHO_AM_I).status_code == 200
    application.stand_in.control("DELETE", "tokens")
    refused = application.call("GET", WHO_AM_I)
    assert refused.status_code == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer authorization_uri=https://localhost:")
    assert "resource_id=" in challenge
    application.token = ""
    assert application.call("GET", WHO_AM_I).status_code == 401


def test_tokens_can_be_short_lived(stand_in: StandIn) -> None:
    stand_in.control("POST", "tokens", json={"lifetime_seconds": 0})
    try:
        assert sign_in(stand_in, "application").call("GET", WHO_AM_I).status_code == 401
    finally:
        stand_in.control("POST", "tokens", json={"lifetime_seconds": 3599})


def test_impersonation_acts_as_the_other_user(application: Dataverse) -> None:
    """CallerObjectId and the older MSCRMCallerID both work; the caller stays visible as the delegate."""
    person = application.environment["human"]
    assert application.get(WHO_AM_I, CallerObjectId=person["object_id"])["UserId"] == person["user_id"]
    columns = "_createdby_value,_createdonbehalfby_value,_modifiedonbehalfby_value"
    created = application.call(
        "POST", f"accounts?$select={columns}", {"name": "By proxy"},
        Prefer="return=representation", MSCRMCallerID=person["user_id"],
    ).json()  # fmt: skip
    assert created["_createdby_value"] == person["user_id"]
    for column in ("_createdonbehalfby_value", "_modifiedonbehalfby_value"):
        assert created[column] == application.environment["application"]["user_id"]
    nobody = application.call("GET", WHO_AM_I, CallerObjectId="00000000-0000-4000-8000-000000000000")
    assert nobody.status_code == 403


def test_a_client_may_authenticate_with_http_basic(application: Dataverse) -> None:
    """`client_secret_basic` of RFC 6749 works like the secret in the form; the discovery document names both."""
    environment = application.environment
    client, http = environment["application"], application.stand_in.http
    address = f"{environment['authority']}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "scope": f"{environment['url']}/.default"}
    answer = http.post(address, form, auth=(client["client_id"], client["secret"]))
    assert answer.status_code == 200, answer.text
    wrong = http.post(address, form, auth=(client["client_id"], "wrong"))
    assert (wrong.status_code, wrong.json()["error_codes"]) == (401, [7000215])
    discovery = http.get(f"{environment['authority']}/v2.0/.well-known/openid-configuration").json()
    assert discovery["token_endpoint_auth_methods_supported"] == ["client_secret_post", "client_secret_basic"]


def test_a_client_assertion_is_refused_as_an_unknown_certificate(application: Dataverse) -> None:
    """No certificates are registered here, and the answer does not speak of a secret."""
    environment = application.environment
    form = {"grant_type": "client_credentials", "client_id": environment["application"]["client_id"]}
    address = f"{environment['authority']}/oauth2/v2.0/token"
    answer = application.stand_in.http.post(address, form | {"client_assertion": "a.b.c"})
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [700027])
    nothing = application.stand_in.http.post(address, form)
    assert (nothing.status_code, nothing.json()["error_codes"]) == (401, [7000218])
