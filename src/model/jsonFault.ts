/** Longer texts are not searched for the place. */
const longestSearched = 1 << 20;

/**
 * Where a text stops being JSON. The engine's own message quotes the text, which may be a secret of another file: this one says the
 * place alone. @param text one that `JSON.parse` refuses
 */
export function jsonFault(text: string): string {
  if (begins(text)) return text.trim() === '' ? 'it is empty' : 'it ends too early';
  if (text.length > longestSearched) return 'something in it is no JSON';
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (begins(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  const before = text.slice(0, good);
  const line = before.split('\n').length;
  return `line ${line}, column ${good - before.lastIndexOf('\n')}: what stands there is no JSON`;
}

/** Whether JSON may begin like this. */
function begins(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const at = / at position (\d+)/.exec(message)?.[1];
    return at === undefined ? message.startsWith('Unexpected end') : Number(at) >= text.length;
  }
}
