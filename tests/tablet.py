"""A bedside tablet in software: what its browser would sign and send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from hospital.access import tablets
from hospital.access.models import AccessToken, Tablet
from hospital.access.principals import Principal
from hospital.access.tablets import Signed
from tests.factories import World

PIN = "258036"


@dataclass
class SoftTablet:
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: UUID = field(default_factory=lambda: UUID(int=0))

    @property
    def spki(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes_to_base64url(self.key.public_key().public_bytes(serialization.Encoding.DER, form))

    def sign(self, text: bytes) -> str:
        r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return bytes_to_base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def pair(self, world: World, name: str = "一室平板") -> Tablet:
        """Named by the desk for the first room, paired with the code."""
        _, code = tablets.tablet_offer(
            principal=world.principals["desk"],
            institution_id=world.places["home"].id,
            room_id=world.room.id,
            name=name,
        )
        plain = code.replace("-", "")
        row = tablets.tablet_pair(
            code=code, public_key=self.spki, signature=self.sign(f"bedside tablet 1\npair\n{plain}".encode())
        )
        self.id = row.id
        return row

    def answer(self, asked: dict[str, Any], purpose: str, user_id: UUID | None = None) -> Signed:
        """This tablet's answer to one challenge."""
        text = tablets.message(
            purpose=purpose,
            tablet_id=self.id,
            user_id=user_id,
            challenge=base64url_to_bytes(asked["options"]["challenge"]),
        )
        return Signed(tablet_id=self.id, challenge_id=UUID(asked["challenge_id"]), signature=self.sign(text))

    def signed(self, purpose: str, user_id: UUID | None = None) -> Signed:
        return self.answer(tablets.challenge_issue(tablet_id=self.id), purpose, user_id)

    def opened_by(self, principal: Principal, pin: str = PIN) -> None:
        """Signed in with both factors here, with these six digits."""
        tablets.tablet_open(principal=principal, signed=self.signed("open", principal.id), pin=pin)

    def body(self, purpose: str, user_id: UUID, /, **more: Any) -> dict[str, Any]:
        """The same as a request's body."""
        signed = self.signed(purpose, user_id)
        return {"challenge_id": str(signed.challenge_id), "signature": signed.signature, **more}

    def seated(self, user_id: UUID) -> AccessToken:
        return AccessToken.objects.get(tablet_id=self.id, user_id=user_id, bedside_only=True, revoked_at=None)
