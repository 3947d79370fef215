"""The process that owns the arm: 500 Hz, monotonic clock, no asyncio, no network libraries."""
