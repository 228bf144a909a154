import { readFileSync } from 'node:fs'

/** What Linux counts processor time in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** The processor time that a process has used so far, all its threads together. Milliseconds. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in brackets, may have anything in it; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
}
