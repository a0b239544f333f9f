import { oneLine, shortened } from '../../model/shownText.ts';

/** Text from a file as one line without needless spaces; cut with `…` where it is longer. */
export function plainText(text: string, longest: number): string {
  // The rest of a text that is far too long is not even looked at.
  const line = oneLine(text.slice(0, 4 * longest));
  return shortened(line.replaceAll(/ {2,}/g, ' ').trim(), longest);
}
