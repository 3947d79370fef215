from __future__ import annotations

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "hospital.scheduling"
    label = "scheduling"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles

        register_titles(
            {
                "unknown_exam_type": ("没有这种检查类型。", "There is no such exam type."),
                "appointment_over": ("预约已结束或取消。", "The appointment is over or cancelled."),
            }
        )
