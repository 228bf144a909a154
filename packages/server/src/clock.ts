/** Time, given to the engine so that tests can be its master. */
export interface Clock {
  /** Milliseconds that only rise: for intervals. */
  now(): number
  /** Milliseconds since 1970: for timestamps. May jump. */
  time(): number
  /** Calls once after `delayMs` (0 to 2^31-1). Returns what cancels it. Does not keep a process alive. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls once in a later turn of the event loop, after I/O that is ready now had its chance. */
  soon(callback: () => void): void
}

interface TimerHandle {
  unref?(): void
}

const globals = globalThis as unknown as {
  setImmediate?: (callback: () => void) => unknown
  setTimeout(callback: () => void, delayMs: number): TimerHandle | number
  clearTimeout(handle: TimerHandle | number): void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  time: () => Date.now(),
  after(delayMs, callback) {
    const handle = globals.setTimeout(callback, delayMs)
    if (typeof handle === 'object') handle.unref?.()
    return () => globals.clearTimeout(handle)
  },
  soon(callback) {
    if (globals.setImmediate) globals.setImmediate(callback)
    else globals.setTimeout(callback, 0)
  },
}
