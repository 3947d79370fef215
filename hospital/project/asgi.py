from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

http_application = get_asgi_application()

from django.urls import re_path

from hospital.common.sockets import UnknownSocket
from teleconsult.urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter([*websocket_urlpatterns, re_path(r"^.*$", UnknownSocket.as_asgi())]),
    }
)
