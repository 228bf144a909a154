import type { LogOutput } from '../observe/log-output.ts'

/**
 * Exits with this code when the log is written, or after `maxMs` milliseconds. Asked again meanwhile, it takes the shorter
 * time and the higher code.
 */
export type ProcessEnd = (code: number, maxMs: number) => Promise<void>

/** The way out of a process that writes a log: an exit by itself would cut off what is not written yet. */
export function processEnd(output: LogOutput): ProcessEnd {
  let highest = 0
  return async (code, maxMs) => {
    highest = Math.max(highest, code)
    if (await output.end(maxMs)) process.exit(highest)
    // An exit would wait for the write, for as long as a terminal is stopped.
    process.kill(process.pid, 'SIGKILL')
  }
}
