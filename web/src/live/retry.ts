// The wait before the next attempt to connect, and what it tells every live list.

const FIRST_WAIT_MILLISECONDS = 1000;
const LONGEST_WAIT_MILLISECONDS = 30_000;

export interface ConnectionListener {
  /** `since` is when the service was last heard, if the connection died without a sign. */
  lost(reason: string, retryAt: number | undefined, since: number | undefined): void;
  retrying(retryAt: number | undefined): void;
}

const listeners = new Set<ConnectionListener>();
const waits = new Set<() => void>();

export function listen(listener: ConnectionListener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function tellLost(reason: string, retryAt?: number, since?: number) {
  for (const listener of listeners) listener.lost(reason, retryAt, since);
}

export function tellRetrying() {
  for (const listener of listeners) listener.retrying(undefined);
}

/** Waits before the attempt of this number, at most until `endWaits`. */
export function wait(retries: number, reason: string): Promise<void> {
  const longest = Math.min(FIRST_WAIT_MILLISECONDS * 2 ** retries, LONGEST_WAIT_MILLISECONDS);
  // Many pages must not come back in one moment.
  const milliseconds = longest * (0.75 + Math.random() / 2);
  tellLost(reason, Date.now() + milliseconds);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      waits.delete(end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    waits.add(end);
  });
}

/** Ends every wait: the next attempts are made now. */
export function endWaits() {
  for (const end of waits) end();
}
