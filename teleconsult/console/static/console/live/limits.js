// Numbers of the browser's side, the same as devices/wire/limits.py where both have them. Milliseconds, newtons, mm/s, deg/s.
export const COMMAND_PERIOD_MS = 20; // 50 Hz
export const SNAPSHOT_MAX_MS = 80; // an older input snapshot drops the deadman
export const DISPLAY_AGE_MAX_MS = 250; // an older picture stops motion here
export const ESTOP_REPEAT_MS = 20;
export const PRESENCE_MS = 250;
export const STOP_ANSWER_MS = 300; // no report by then: the page turns red
export const TELEMETRY_SILENT_MS = 500; // the page says "no link"; design value
export const REDIAL_MS = 3000; // a new connection; teleoperation.md lesson 14
export const GATHER_MAX_MS = 1000;
export const COMMAND_TTL_MS = 100;
export const FORCE_START_N = 5;
export const FORCE_MIN_N = 3;
export const FORCE_MAX_N = 12;
export const FORCE_STEP_N = 0.5;
export const FORCE_SOFT_N = 15;
export const FORCE_HARD_N = 20;
export const SPEEDS = { fine: [3, 2], normal: [12, 8], coarse: [30, 15] }; // mm/s, deg/s
export const TAP_MS = 150; // a shorter press is 1 mm or 1 deg
export const DEAD_ZONE = 0.12;
export const REST_MM_S = 0.5; // below this the arm is at rest; design value
export const REST_DEG_S = 0.5;
// Round trip: what a physician feels (teleoperation.md section 1b), and the slow and refuse marks.
export const DELAY_GOOD_MS = 100;
export const DELAY_FAIR_MS = 200;
export const DELAY_SLOW_MS = 300;
