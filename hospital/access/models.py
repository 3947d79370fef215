"""The tables of access, by idea; what others import, they import from here."""

from __future__ import annotations

from .models_keys import KeyChallenge, NewTotp, Proof, SecurityKey
from .models_patients import CodeTry, LoginCode, PatientAccount
from .models_peers import Peer, PeerNonce
from .models_providers import IdentityProvider, ProviderRequest, ProviderSubject
from .models_sign_ins import AccessToken, RefreshToken, Ticket, UnknownName
from .models_staff import ADMINISTRATORS, Activation, Institution, Membership, Role, User
from .models_tablets import BedsidePin, Tablet, TabletOpening

__all__ = [
    "ADMINISTRATORS",
    "AccessToken",
    "Activation",
    "BedsidePin",
    "CodeTry",
    "IdentityProvider",
    "Institution",
    "KeyChallenge",
    "LoginCode",
    "Membership",
    "NewTotp",
    "PatientAccount",
    "Peer",
    "PeerNonce",
    "Proof",
    "ProviderRequest",
    "ProviderSubject",
    "RefreshToken",
    "Role",
    "SecurityKey",
    "Tablet",
    "TabletOpening",
    "Ticket",
    "UnknownName",
    "User",
]
