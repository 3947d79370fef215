// Times as people at these hospitals read them: Asia/Shanghai (UTC+8 all year), 24 hours.
import { t } from "./texts.js";

const OFFSET_MS = 8 * 3600 * 1000;
const two = (n) => String(n).padStart(2, "0");
const shifted = (moment) => new Date(new Date(moment).getTime() + OFFSET_MS);

export const clock = (moment) => { const d = shifted(moment); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`; };
export const clockSeconds = (moment) => `${clock(moment)}:${two(shifted(moment).getUTCSeconds())}`;
export const day = (moment) => shifted(moment).toISOString().slice(0, 10);
export const stamp = (moment) => `${day(moment).slice(5)} ${clock(moment)}`;
export const fullStamp = (moment) => `${day(moment)} ${clock(moment)}`;
export const today = () => day(Date.now());
export const moment = (dayText, clockText) => new Date(`${dayText}T${clockText}:00+08:00`);
export const addDays = (dayText, n) => new Date(Date.parse(`${dayText}T00:00:00Z`) + n * 86400000).toISOString().slice(0, 10);
export const weekday = (dayText) => t(`weekday.${new Date(`${dayText}T00:00:00Z`).getUTCDay()}`);
export const minutesOfDay = (m) => { const d = shifted(m); return d.getUTCHours() * 60 + d.getUTCMinutes(); };

// "0930", "9:30", "9：30", "930" -> "09:30"; null when it is no time of day.
export function readClock(text) {
  const found = text.trim().replace("：", ":").match(/^(\d{1,2}):?(\d{2})$/);
  if (!found || Number(found[1]) > 23 || Number(found[2]) > 59) return null;
  return `${two(Number(found[1]))}:${found[2]}`;
}

export function span(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / 60000));
  if (minutes < 60) return t("unit.minutes", { n: minutes });
  return t("unit.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}
