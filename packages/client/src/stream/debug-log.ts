import { throwUncaught } from './throw-uncaught.ts'

/** Takes one line of the debug log, its time in front. */
export type DebugLogger = (line: string) => void

/** What switches the log on from the developer tools: `localStorage['millrace:debug'] = 1`, and a reload. */
const STORAGE_KEY = 'millrace:debug'

/** A library writes to the console only when it is told to, as here. */
const scope = globalThis as unknown as { console?: { debug(line: string): void } }

/** Where debug lines go, which does not throw; undefined when nobody wants them. */
export function debugLogger(debug: boolean | DebugLogger | undefined): DebugLogger | undefined {
  if (!(debug ?? isWantedByStorage())) return undefined
  return (line) => {
    try {
      if (typeof debug === 'function') debug(line)
      else scope.console?.debug(line)
    } catch (error) {
      throwUncaught(error)
    }
  }
}

function isWantedByStorage(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) !== null
  } catch {
    // There is none, or the page may not use it.
    return false
  }
}
