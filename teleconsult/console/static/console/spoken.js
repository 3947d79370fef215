// A sentence said by the browser's own Mandarin voice; the newest counts.
const STARTS_WITHIN_MS = 4000;

export const mandarin = (voices) => {
  const found = voices.filter(({ lang }) => /^(zh|cmn)\b/i.test(lang) && !/HK|TW|yue/i.test(lang));
  return found.find(({ localService }) => localService) ?? found[0] ?? null;
};

// -> whether it was said
export function say(sentence, engine = window.speechSynthesis) {
  const voice = engine && mandarin(engine.getVoices());
  if (!voice) return Promise.resolve(false);
  engine.cancel();
  const said = Object.assign(new SpeechSynthesisUtterance(sentence), { voice, lang: voice.lang, rate: 0.9 });
  return new Promise((resolve) => {
    const timer = setTimeout(() => { engine.cancel(); resolve(false); }, STARTS_WITHIN_MS);
    said.onstart = () => { clearTimeout(timer); resolve(true); };
    said.onerror = () => { clearTimeout(timer); resolve(false); };
    engine.speak(said);
  });
}
