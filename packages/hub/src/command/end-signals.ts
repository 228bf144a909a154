const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Shorter than two presses of a key, longer than npm takes to pass a signal on. Milliseconds. */
const ECHO_MS = 250

/**
 * Stops the process at the first SIGTERM or SIGINT, and ends it at the next. Ctrl-C reaches every process of a terminal, and
 * npm, when it has started this one, passes it on as well: an SIGINT right behind one is its echo.
 *
 * @param end how it ends at once. @default an exit with the code 1
 */
export function stopOnSignals(stop: () => void, end: () => void = () => process.exit(1)): void {
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    const atMs = performance.now()
    if (!first) {
      first = { signal, atMs }
      stop()
      return
    }
    const isEcho = signal === 'SIGINT' && first.signal === 'SIGINT' && atMs - first.atMs < ECHO_MS
    if (!isEcho) end()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
}
