from __future__ import annotations

from django.urls import path

from devices.fleet.consumers import RobotSocket

from . import (
    api,
    api_board,
    api_feeds,
    api_figures,
    api_own,
    api_peer,
    api_reports,
    api_requests,
    api_robot,
    api_tablets,
    api_times,
    consumers,
    consumers_desk,
)

EXAM = "exams/<uuid:exam_id>"

urlpatterns = [
    path("exams", api.ExamsDoor.as_view()),
    path("board", api_board.BoardDoor.as_view()),
    path("board/search", api_board.BoardSearchDoor.as_view()),
    path("figures", api_figures.FiguresDoor.as_view()),
    path("figures/file", api_figures.FiguresFileDoor.as_view()),
    path("times", api_times.TimesDoor.as_view()),
    path("holds", api_times.TimeHoldsDoor.as_view()),
    path("holds/<uuid:time_hold_id>", api_times.TimeHoldDoor.as_view()),
    path("exams/displace", api_requests.DisplaceDoor.as_view()),
    path("exam-requests", api_requests.ExamRequestsDoor.as_view()),
    path("exam-requests/<uuid:exam_request_id>", api_requests.ExamRequestDoor.as_view()),
    *[
        path(f"exam-requests/<uuid:exam_request_id>/{name}", door.as_view())
        for name, door in api_requests.REQUEST_COMMANDS.items()
    ],
    path("offers/<uuid:offer_id>/accept", api_requests.OfferAcceptDoor.as_view()),
    path("offers/<uuid:offer_id>/refuse", api_requests.OfferRefuseDoor.as_view()),
    path("offers/by-link", api_requests.OfferLinkDoor.as_view()),
    path("offers/by-link/accept", api_requests.OfferLinkAcceptDoor.as_view()),
    path("offers/by-link/refuse", api_requests.OfferLinkRefuseDoor.as_view()),
    path(EXAM, api.ExamDoor.as_view()),
    *[path(f"{EXAM}/{name}", door.as_view()) for name, door in api.COMMANDS.items()],
    path(f"{EXAM}/lease", api.LeaseDoor.as_view()),
    path(f"{EXAM}/bedside", api_tablets.BedsideTakeDoor.as_view()),
    path("tablets", api_tablets.TabletsDoor.as_view()),
    path("tablets/pair", api_tablets.TabletPairDoor.as_view()),
    path("tablets/<uuid:tablet_id>/revoke", api_tablets.TabletRevokeDoor.as_view()),
    path("tablets/<uuid:tablet_id>/challenge", api_tablets.TabletChallengeDoor.as_view()),
    path("tablets/<uuid:tablet_id>/roster", api_tablets.TabletRosterDoor.as_view()),
    path("tablets/<uuid:tablet_id>/open", api_tablets.TabletOpenDoor.as_view()),
    path("tablets/<uuid:tablet_id>/change", api_tablets.TabletChangeDoor.as_view()),
    path(f"{EXAM}/report", api_reports.ExamReportDoor.as_view()),
    path(f"{EXAM}/images", api_reports.ExamImagesDoor.as_view()),
    path(f"{EXAM}/frozen", api_reports.FrozenNowDoor.as_view()),
    path(f"{EXAM}/frozen/<int:frame_id>", api_reports.FrozenDoor.as_view()),
    path(f"{EXAM}/earlier-reports", api_reports.EarlierReportsDoor.as_view()),
    path(f"{EXAM}/missing-views", api_reports.MissingViewsDoor.as_view()),
    path(f"{EXAM}/measurements", api_reports.MeasurementsDoor.as_view()),
    path("measurements/<uuid:measurement_id>", api_reports.MeasurementDoor.as_view()),
    path("images/<uuid:image_id>", api_reports.ImageDoor.as_view()),
    path("images/<uuid:image_id>/remove", api_reports.ImageRemoveDoor.as_view()),
    path("reports/<uuid:report_id>", api_reports.ReportDoor.as_view()),
    path("reports/<uuid:report_id>/sign", api_reports.SignDoor.as_view()),
    path("reports/<uuid:report_id>/amend", api_reports.AmendDoor.as_view()),
    path("me/exams", api_reports.MyExamsDoor.as_view()),
    path("me/offers", api_requests.MyOffersDoor.as_view()),
    path("me/offers/<uuid:offer_id>/accept", api_requests.MyOfferAcceptDoor.as_view()),
    path("me/offers/<uuid:offer_id>/refuse", api_requests.MyOfferRefuseDoor.as_view()),
    path("me/exams/<uuid:exam_id>/times", api_own.MyExamTimesDoor.as_view()),
    path("me/exams/<uuid:exam_id>/move", api_own.MyExamMoveDoor.as_view()),
    path("me/exams/<uuid:exam_id>/cancel", api_own.MyExamCancelDoor.as_view()),
    path("me/exams/<uuid:exam_id>/calendar", api_feeds.MyExamCalendarDoor.as_view()),
    path("feeds", api_feeds.FeedsDoor.as_view()),
    path("resources/<uuid:resource_id>/feed", api_feeds.RoomFeedDoor.as_view()),
    path("feeds/<uuid:feed_id>", api_feeds.FeedDoor.as_view()),
    path("feeds/<str:feed_secret>.ics", api_feeds.FeedFileDoor.as_view()),
    path("me/exams/<uuid:exam_id>/report", api_reports.MyReportDoor.as_view()),
    path("peer/reports", api_peer.PeerReportsDoor.as_view()),
    path("peer/reports/<uuid:report_id>", api_peer.PeerReportDoor.as_view()),
    path("peer/images/<uuid:image_id>", api_peer.PeerImageDoor.as_view()),
    path("robot/exams/<uuid:exam_id>/frozen", api_robot.RobotFrozenDoor.as_view()),
    path("robot/exams/<uuid:exam_id>/images", api_robot.RobotImagesDoor.as_view()),
]

websocket_urlpatterns = [
    path("ws/robot/", RobotSocket.as_asgi()),
    path("ws/desk/", consumers_desk.DeskSocket.as_asgi()),
    path("ws/exams/<uuid:exam_id>/console/", consumers.ConsoleSocket.as_asgi()),
    path("ws/exams/<uuid:exam_id>/bedside/", consumers.BedsideSocket.as_asgi()),
]
