/**
 * Text from a file as one line that a terminal may show: no control characters (they could move its cursor or change its
 * colours), none that turn the direction of writing, no half of a character; cut with `…` where it is longer.
 */
export function plainText(text: string, longest: number): string {
  // The rest of a text that is far too long is not even looked at.
  const line = text
    .slice(0, 4 * longest)
    .replaceAll(unprintable, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
    .toWellFormed();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
