import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Why a request gets no answer; null when it may have one. A browser that shows somebody's web page could otherwise be led here: by a name of
 * theirs that leads to this machine (DNS rebinding), or by a picture of ours in a page of theirs.
 *
 * @param names of this machine that it may be called by, in lower case, besides `localhost` and addresses: no name stands for an address
 */
export function whyRefused(
  { headers, method = '' }: Pick<IncomingMessage, 'headers' | 'method'>,
  names: readonly string[],
): string | null {
  if (method !== 'GET' && method !== 'HEAD') return `${method} is not answered: there is only something to look at`;
  const host = hostName(headers.host ?? '');
  if (isIP(host) === 0 && host !== 'localhost' && !names.includes(host))
    return 'this name of the machine is not known: open the preview by localhost or by the address of the machine';
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  return isForeign && headers['sec-fetch-mode'] !== 'navigate' ? 'another web page asks for this' : null;
}

/** `localhost` of `Localhost.:5555`, `::1` of `[::1]:5555`. */
function hostName(header: string): string {
  const [, six, other = ''] = /^(?:\[([0-9a-f:.]+)\]|([^:/@\s]*))(?::\d*)?$/i.exec(header) ?? [];
  return (six ?? other).toLowerCase().replace(/\.$/, '');
}
