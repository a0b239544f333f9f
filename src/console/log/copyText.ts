/** Terminals take no more than about so much, characters of base64. */
const longest = 74_000;

/**
 * What asks the terminal to put a text on its clipboard (OSC 52); null for a text that is too long. tmux takes it itself with
 * `set-clipboard on`; with `allow-passthrough on` it hands it on to the terminal outside. screen hands it on.
 */
export function copySequence(
  text: string,
  { TMUX, TERM = '' }: Readonly<Record<string, string | undefined>>,
): string | null {
  const encoded = Buffer.from(text).toString('base64');
  if (encoded.length > longest) return null;
  const plain = `\u001b]52;c;${encoded}\u0007`;
  if (TMUX) return `${plain}\u001bPtmux;${plain.replaceAll('\u001b', '\u001b\u001b')}\u001b\\`;
  return TERM.startsWith('screen') ? `\u001bP${plain}\u001b\\` : plain;
}
