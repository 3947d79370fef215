from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")

import django
from channels.routing import ProtocolTypeRouter, URLRouter

django.setup(set_prefix=False)

from django.conf import settings
from django.urls import re_path

from hospital.common.body_limit import BodyLimit
from hospital.common.garbage import settled
from hospital.common.sockets import UnknownSocket
from hospital.common.threaded import ThreadedHandler
from teleconsult.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(
            ThreadedHandler(at_once=settings.REQUESTS_AT_ONCE),
            limit=settings.BODY_MAX_BYTES,
            larger=settings.LARGE_BODIES,
        ),
        "websocket": URLRouter([*websocket_urlpatterns, re_path(r"^.*$", UnknownSocket.as_asgi())]),
    }
)
settled()
