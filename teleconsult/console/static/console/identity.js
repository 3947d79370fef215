// Hints while an identity number is typed. The server decides; these only save a round trip.
// GB 11643-1999: weights and check characters as in standards ID-01; full-width digits are normalised first (NFKC).
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK = "10X98765432";

export const normalise = (text) => text.normalize("NFKC").replace(/\s/g, "").toUpperCase();

function realDate(text, todayText) {
  const iso = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
  const date = new Date(`${iso}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso) return null;
  return iso > todayText || Number(todayText.slice(0, 4)) - Number(text.slice(0, 4)) > 150 ? null : iso;
}

// readIdentity("310229195003150012", "2026-11-24") -> {ok, problem, length, birth, sex}
// problem: "short" | "characters" | "date" | "checksum" | null; sex "1" male, "2" female (GB/T 2261.1).
export function readIdentity(raw, todayText) {
  const text = normalise(raw);
  const failed = (problem) => ({ ok: false, problem, length: text.length, birth: null, sex: null });
  if (!/^[0-9]{0,17}$|^[0-9]{17}[0-9X]$/.test(text)) return failed("characters");
  if (text.length >= 14 && !realDate(text.slice(6, 14), todayText)) return failed("date");
  if (text.length < 18) return failed("short");
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(text[i]), 0);
  if (CHECK[sum % 11] !== text[17]) return failed("checksum");
  return { ok: true, problem: null, length: 18, birth: realDate(text.slice(6, 14), todayText), sex: Number(text[16]) % 2 ? "1" : "2" };
}
