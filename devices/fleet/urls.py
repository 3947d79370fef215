from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("robots", api.RobotsDoor.as_view()),
    path("robots/pair", api.PairDoor.as_view()),
    path("robots/<uuid:robot_id>/retire", api.RetireDoor.as_view()),
    path("robots/<uuid:robot_id>/pairing-code", api.PairingCodeDoor.as_view()),
]
