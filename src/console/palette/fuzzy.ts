/**
 * How well a text has what was typed: each word of it as letters in their order, best where they stand together and begin words.
 * @returns null where it has not; higher is better
 */
export function fuzzy(typed: string, text: string): number | null {
  let score = -text.length / 100;
  for (const word of typed.toLowerCase().split(/\s+/)) {
    if (word === '') continue;
    const found = wordScore(word, text.toLowerCase());
    if (found === null) return null;
    score += found;
  }
  return score;
}

/** Of a word that stands there as it is; begun where a word begins. */
const asItIs = 8;
const begun = 6;

function wordScore(word: string, text: string): number | null {
  const whole = placesOf(word, text);
  if (whole.length > 0) {
    const isBegun = whole.some(at => beginsWord(text, at));
    return word.length + asItIs + (isBegun ? begun : 0) + (whole[0] === 0 ? 2 : 0);
  }
  let score = 0;
  let at = -1;
  for (const letter of word) {
    const next = bestPlace(letter, text, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 1 : beginsWord(text, next) ? 1 : -0.5;
    at = next;
  }
  return score;
}

function placesOf(word: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) places.push(at);
  return places;
}

/** The letter right here, else at the next beginning of a word, else wherever it is. */
function bestPlace(letter: string, text: string, from: number): number {
  const places = placesOf(letter, text).filter(at => at >= from);
  return places[0] === from ? from : (places.find(at => beginsWord(text, at)) ?? places[0] ?? -1);
}

const beginsWord = (text: string, at: number): boolean => at === 0 || /[^a-z0-9]/.test(text[at - 1] as string);
