/** What Bun passes to a handler, as far as it is used. */
interface TimedHost {
  timeout(request: Request, seconds: number): void
}

/** Lifts the time after which a platform closes a silent connection, where that can be done: Bun does so after 10 s. */
export function keepOpen(request: Request, host: unknown): void {
  if (isTimed(host)) host.timeout(request, 0)
}

function isTimed(host: unknown): host is TimedHost {
  return typeof host === 'object' && host !== null && 'timeout' in host && typeof host.timeout === 'function'
}
