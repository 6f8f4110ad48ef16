"""Which steps a request keeps from running ("Bypass custom Dataverse logic" in Microsoft's documentation)."""

from multidict import CIMultiDict

from sandbox.systems.dataverse.errors import bad_request
from sandbox.systems.dataverse.values import is_guid

SYNCHRONOUS, ASYNCHRONOUS = "CustomSync", "CustomAsync"
_STEPS_AT_MOST = 3  # unless the organisation has another BypassBusinessLogicExecutionStepIdsLimit
_TRUTHS = {"true": True, "false": False}


def bypassed_steps(headers: CIMultiDict[str]) -> frozenset[str]:
    """The steps that `MSCRM.BypassBusinessLogicExecutionStepIds` names; 400 for more than three, and for no ids."""
    listed = _listed(headers.get("MSCRM.BypassBusinessLogicExecutionStepIds", "").strip('"').lower())
    if len(listed) > _STEPS_AT_MOST or not all(map(is_guid, listed)):
        said = (
            f"MSCRM.BypassBusinessLogicExecutionStepIds takes {_STEPS_AT_MOST} ids of steps at most: {sorted(listed)}."
        )
        raise bad_request(said)
    return listed


def bypassed_logic(headers: CIMultiDict[str]) -> frozenset[str]:
    """Synchronous or asynchronous steps, or both; 400 for values that the headers do not have."""
    listed = _listed(headers.get("MSCRM.BypassBusinessLogicExecution", ""))
    wrong = sorted(listed - {SYNCHRONOUS, ASYNCHRONOUS})
    older = headers.get("MSCRM.BypassCustomPluginExecution", "false").lower()
    if wrong or older not in _TRUTHS:
        raise bad_request(
            f"The value '{wrong[0] if wrong else older}' of a header that bypasses logic is not one of its."
        )
    return listed | {SYNCHRONOUS} if _TRUTHS[older] else listed


def _listed(header: str) -> frozenset[str]:
    return frozenset(part.strip() for part in header.split(",") if part.strip())
