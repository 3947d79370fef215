from __future__ import annotations

from django.urls import path

from . import api, api_admin, api_keys, api_peers, api_security

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
    path("auth/activate", api_security.ActivateDoor.as_view()),
    path("auth/activate/finish", api_security.ActivateFinishDoor.as_view()),
    path("admin/institutions", api_admin.InstitutionsDoor.as_view()),
    path("admin/staff", api_admin.StaffListDoor.as_view()),
    path("admin/staff/<uuid:user_id>/deactivate", api_admin.DeactivateDoor.as_view()),
    path("admin/staff/<uuid:user_id>/reset", api_admin.ResetDoor.as_view()),
    path("admin/staff/<uuid:user_id>/roles", api_admin.RolesDoor.as_view()),
    path("admin/roles/<uuid:membership_id>", api_admin.RoleDoor.as_view()),
    path("admin/accounts", api_security.AccountsDoor.as_view()),
    path("admin/accounts/<uuid:user_id>/lock", api_security.LockDoor.as_view()),
    path("admin/accounts/<uuid:user_id>/unlock", api_security.UnlockDoor.as_view()),
    path("admin/administrators", api_security.AdministratorsDoor.as_view()),
    path("admin/administrators/<uuid:membership_id>", api_security.AdministratorDoor.as_view()),
    path("admin/sessions", api_security.StaffSessionsDoor.as_view()),
    path("admin/sessions/<uuid:session_id>", api_security.StaffSessionDoor.as_view()),
    path("admin/resets", api_security.ResetsDoor.as_view()),
    path("admin/resets/<uuid:activation_id>/approve", api_security.ResetApproveDoor.as_view()),
    path("admin/sign-in-failures", api_security.FailuresDoor.as_view()),
    path("admin/keys", api_security.KeyStateDoor.as_view()),
    path("admin/permissions", api_security.PermissionsDoor.as_view()),
    path("auth/patient/refresh", api.PatientRefreshDoor.as_view()),
    path("peers", api_peers.PeersDoor.as_view()),
    path("peers/<uuid:peer_id>/revoke", api_peers.PeerRevokeDoor.as_view()),
]
