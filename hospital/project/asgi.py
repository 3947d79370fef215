from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

http_application = get_asgi_application()

from django.conf import settings
from django.urls import re_path

from hospital.common.body_limit import BodyLimit
from hospital.common.sockets import UnknownSocket
from hospital.common.turns import Turns
from teleconsult.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(
            Turns(http_application, at_once=settings.REQUESTS_AT_ONCE),
            limit=settings.BODY_MAX_BYTES,
            larger=settings.LARGE_BODIES,
        ),
        "websocket": URLRouter([*websocket_urlpatterns, re_path(r"^.*$", UnknownSocket.as_asgi())]),
    }
)
