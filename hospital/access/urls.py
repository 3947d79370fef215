from __future__ import annotations

from django.urls import path

from . import api, api_keys, api_peers

urlpatterns = [
    path("auth/staff", api.StaffDoor.as_view()),
    path("auth/staff/challenge", api_keys.SignInChallengeDoor.as_view()),
    path("auth/keys", api_keys.KeysDoor.as_view()),
    path("auth/keys/options", api_keys.KeyOptionsDoor.as_view()),
    path("auth/keys/<uuid:key_id>", api_keys.KeyDoor.as_view()),
    path("auth/step-up/challenge", api_keys.ProofChallengeDoor.as_view()),
    path("auth/step-up", api.StepUpDoor.as_view()),
    path("auth/ticket", api.TicketDoor.as_view()),
    path("auth/password", api.PasswordDoor.as_view()),
    path("auth/sessions", api.SessionsDoor.as_view()),
    path("auth/sessions/<uuid:session_id>", api.SessionDoor.as_view()),
    path("auth/patient/refresh", api.PatientRefreshDoor.as_view()),
    path("peers", api_peers.PeersDoor.as_view()),
    path("peers/<uuid:peer_id>/revoke", api_peers.PeerRevokeDoor.as_view()),
]
