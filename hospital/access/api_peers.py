"""Doors of the security administrator: which institutions' keys open the peer doors."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.audit.selectors import last_seen
from hospital.common.api import Door, parsed

from . import peers
from .authentication import principal_of
from .proofs import recently_proven


class PeerInput(serializers.Serializer[Any]):
    institution_id = serializers.UUIDField()
    public_key_pem = serializers.CharField(max_length=2000)
    days = serializers.IntegerField()


def peer_json(row: Any, last_used_at: Any = None) -> dict[str, Any]:
    """One key, without the key itself: `kid` names it."""
    place = row.institution
    return {
        "id": str(row.id),
        "institution": {"id": str(place.id), "name": place.name, "name_en": place.name_en},
        "kid": row.kid,
        "algorithm": row.algorithm,
        "registered_at": row.registered_at.isoformat(),
        "registered_by": row.registered_by.name,
        "expires_at": row.expires_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        "last_used_at": last_used_at.isoformat() if last_used_at else None,
    }


class PeersDoor(Door):
    actions: ClassVar = {"GET": "peer.manage", "POST": "peer.manage"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = list(peers.peers(principal_of(request)))
        used = last_seen([row.id for row in rows])
        return Response({"results": [peer_json(row, used.get(row.id)) for row in rows], "next": None})

    @extend_schema(request=PeerInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(PeerInput, request)
        recently_proven(principal=principal_of(request))
        row = peers.peer_register(principal=principal_of(request), **given)
        return Response(peer_json(row), status=201)


class PeerRevokeDoor(Door):
    actions: ClassVar = {"POST": "peer.manage"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, peer_id: UUID) -> Response:
        peers.peer_revoke(principal=principal_of(request), peer_id=peer_id)
        return Response(status=204)
