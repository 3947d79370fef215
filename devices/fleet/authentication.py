from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from hospital.access.principals import Principal

from .models import Robot
from .services import robot_authenticate

SCHEME = "Robot "


def robot_principal(robot: Robot) -> Principal:
    return Principal(kind="robot", id=robot.id, name=robot.name, memberships=(), token_id=None)


class RobotAuthentication(BaseAuthentication):
    """`Authorization: Robot <jwt>`, signed by the robot's own key, each token once."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        header = request.headers.get("Authorization", "")
        if not header.startswith(SCHEME):
            return None
        token = header[len(SCHEME) :]
        return robot_principal(robot_authenticate(token=token)), token

    def authenticate_header(self, request: Request) -> str:
        return "Robot"
