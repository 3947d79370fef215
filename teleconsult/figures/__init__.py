"""Figures for the head of department: exams of each month counted and timed, by institution. Computed when asked."""
