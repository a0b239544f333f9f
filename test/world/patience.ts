/** For `vi.waitFor` and `vi.waitUntil`: what has not come after a minute does not come. A second, their own limit, is little for a busy machine. */
export const patience = { timeout: 60_000, interval: 10 };
