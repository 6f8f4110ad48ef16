"""Who may come in: by a key, by a signature, or by an access token of Microsoft Entra ID."""

from integration.admission.keys import CallerKeys
from integration.admission.rates import Rates
from integration.admission.senders import Senders
from integration.admission.signing_keys import SigningKeys
from integration.admission.tokens import Bearer, EntraTokens

__all__ = ["Bearer", "CallerKeys", "EntraTokens", "Rates", "Senders", "SigningKeys"]
