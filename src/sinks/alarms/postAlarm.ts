import { duration } from '../../model/quantity.ts';
import { type AlarmNotice, DeliveryError, type DeliveryOptions } from './alarmOutlet.ts';

/** Answers of a server that may be otherwise in a while. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504, 507, 509]);

/**
 * Posts one alarm as JSON to the webhook of `[Alarms]`. An answer that leads elsewhere is not followed: the alarm, and what is
 * secret in the address, go where the configuration says and nowhere else. Resolves when the server has taken it (2xx).
 *
 * @throws DeliveryError otherwise; `again` when that may pass.
 */
export async function postAlarm(
  address: string,
  notice: AlarmNotice,
  { signal, timeoutMs }: DeliveryOptions,
): Promise<void> {
  const host = hostOf(address);
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'phorest-pipeline' },
      body: JSON.stringify(notice),
      signal: AbortSignal.any([signal, timeout]),
    });
    await response.body?.cancel();
  } catch (error) {
    const reason = timeout.aborted ? `no answer within ${duration(timeoutMs)}` : reasonOf(error as Error);
    throw new DeliveryError(`${host}: ${reason}`, { again: true });
  }
  const { ok, status } = response;
  if (ok) return;
  if (status >= 300 && status < 400) {
    throw new DeliveryError(`${host} leads elsewhere (status ${status}): give the final address`, { again: false });
  }
  throw new DeliveryError(`${host} answers with status ${status}`, { again: passing.has(status) });
}

/** All of an address that a log may hold. */
export function hostOf(address: string): string {
  return URL.parse(address)?.host ?? 'the webhook';
}

/** `fetch` says only that it failed; the cause says why, without the address. */
function reasonOf({ name, cause }: Error): string {
  const { code, message } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? message ?? name;
}
