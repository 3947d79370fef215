"""Every safety number, once, with its unit in the name and its source.

"design value" means ours: chosen in the design, to be confirmed by trials. A preset or the bedside
may only tighten these.
"""

from __future__ import annotations

# --- command path -----------------------------------------------------------------------------
COMMAND_PERIOD_MS = 20  # 50 Hz as long as the lease is held and the page is visible; design value
COMMAND_AGE_MAX_MS = 100.0  # gate "age"; videosdk-teleop uses the same staleness bound
AGE_FLOOR_WINDOW_MS = 10_000.0  # min-filter window over (receive - client clock); design value
AGE_FLOOR_JUMP_MS = 50.0  # a steady shift larger than this re-arms the filter; design value
AGE_REARM_MS = 1_000.0  # how long the shift must be steady before re-arming; design value
FRAME_SEEN_LAG_MAX_MS = 500.0  # picture the operator saw is older: motion stops; design value
DISPLAY_AGE_MAX_MS = 250.0  # the console's own lock-out; design value
INPUT_SNAPSHOT_MAX_MS = 80.0  # the worker drops the deadman on an older snapshot; design value

# --- silence ladder (missing commands, measured in the safety process) ---------------------------
SILENCE_WARN_MS = 100.0  # design value
SILENCE_RAMP_MS = 150.0  # design value; Nori LAN profile warns/stops at 150/500
RAMP_TO_ZERO_MS = 100.0  # the ramp is over at the latest after this; design value
SILENCE_HOLD_MS = 300.0  # design value
SILENCE_RETRACT_MS = 1_000.0  # design value
SILENCE_SUSPEND_MS = 2_000.0  # design value
SILENCE_RETRACT_MM = 10.0  # along the probe axis; design value
LINK_BEAT_PERIOD_MS = 50  # link process to safety process; design value
LINK_BEAT_MAX_MS = 150.0  # a missing beat enters the same ladder; design value

# --- lease, presence ----------------------------------------------------------------------------
LEASE_TTL_MS = 5_000  # renewed every second; design value
LEASE_TTL_MAX_MS = 5_000  # a token may ask for less, never more
LEASE_IAT_MAX_AGE_MS = 3_000.0  # design value
PEER_TOKEN_MAX_S = 12 * 3600  # one working day; design value
PRESENCE_PERIOD_MS = 250  # bedside page; design value
PRESENCE_MAX_MS = 1_500.0  # absent longer: HOLD; design value
GO_VALID_MS = 60_000.0  # the bedside's release for first contact; design value
CONTACT_LOST_KEEPS_GO_MS = 10_000.0  # a short loss of contact needs no new release; design value
ESTOP_REPEAT_MS = 20  # until telemetry shows the latch; design value

# --- force --------------------------------------------------------------------------------------
FORCE_SETPOINT_MIN_N = 3.0  # design value (section 1c of the teleoperation reference)
FORCE_SETPOINT_MAX_N = 12.0  # design value
FORCE_START_N = 5.0  # where a console begins; design value
FORCE_PARK_MAX_N = 8.0  # deadman released; design value
FORCE_PARK_EASED_N = 3.0  # after PARK_EASE_AFTER_MS; design value
PARK_EASE_AFTER_MS = 120_000.0  # design value
FORCE_GENTLER_N = 5.0  # the patient asked for less; design value
FORCE_TILTED_N = 6.0  # beam more than TILT_FORCE_DEG from the skin's normal; design value
TILT_FORCE_DEG = 35.0  # design value
FORCE_SOFT_N = 15.0  # no further pushing; design value
FORCE_HARD_N = 20.0  # stop and retract, latched; King's College clutch trips at 22.1 N
FORCE_PEAK_N = 25.0  # never above; design value
FORCE_RATE_MAX_N_S = 100.0  # collision; design value
FORCE_STOPPED_N = 2.0  # every stop ends at or below; design value
FORCE_EASE_MS = 500.0  # ... within this; design value
FORCE_CONTACT_N = 0.5  # at and above: in contact; design value
FORCE_CAP_MIN_N = 1.0  # a bedside cap below this is no contact at all; design value

# --- motion -------------------------------------------------------------------------------------
SPEED_CONTACT_MM_S = 50.0  # design value
SPEED_FREE_MM_S = 150.0  # design value
SPEED_ANGULAR_DEG_S = 20.0  # design value
LOOP_DELAY_TRAVEL_MM = 3.0  # in contact, per loop delay; design value
APPROACH_MM_S = 15.0  # along the beam before first contact; design value
PUSH_MM_S = 15.0  # along the beam while in contact, inwards; design value
EASE_MM_S = 120.0  # along the beam while easing force, outwards; design value
ACCELERATION_MM_S2 = 600.0  # design value
ACCELERATION_DEG_S2 = 200.0  # design value
JERK_MM_S3 = 12_000.0  # design value; never binds a stop
JERK_DEG_S3 = 4_000.0  # design value; never binds a stop
DECELERATION_MM_S2 = 2_000.0  # 150 mm/s to rest in 75 ms; design value
DECELERATION_DEG_S2 = 400.0  # 20 deg/s to rest in 50 ms; design value
LIFT_MM = 50.0  # design value
LIFT_MM_S = 60.0  # design value
RETRACT_MM_S = 40.0  # design value
PLACE_MM_S = 60.0  # bounded free-air move; design value
PLACE_DEG_S = 15.0  # design value
PLACE_MAX_MM = 600.0  # farther than this is not a placement; design value
PLACE_CONTACT_N = 2.0  # touching something on the way ends the move; design value
PLACE_TIMEOUT_MS = 30_000.0  # design value

# --- driver -------------------------------------------------------------------------------------
SAFETY_HZ = 500
DRIVER_STOP_MAX_MS = 300.0  # a driver that cannot stop in this is refused by the self-test (TEL 24)
DRIVER_WATCHDOG_MAX_MS = 150.0  # design value
DRIVER_STATE_MAX_AGE_MS = 50.0  # an older state is a fault; design value
SELF_TEST_FORCE_ZERO_N = 1.0  # in free air; design value
SELF_TEST_FPS_MIN = 20.0  # TEL 22

TELEMETRY_IDLE_HZ = 30
