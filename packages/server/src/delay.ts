import type { Clock } from './clock.ts'

/** Resolves after the time, or sooner: when one of the signals is aborted. */
export function delay(clock: Clock, ms: number, signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve()
  return new Promise((resolve) => {
    const settle = (): void => {
      cancel()
      for (const each of signals) each.removeEventListener('abort', settle)
      resolve()
    }
    const cancel = clock.after(ms, settle)
    for (const each of signals) each.addEventListener('abort', settle)
  })
}
