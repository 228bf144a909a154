import { readFileSync } from 'node:fs'

/** Below this many open files the hub says how many clients that allows. */
const ENOUGH_FILES = 4_096
/** What the hub itself has open, with some to spare: measured 24 without a client. */
const OWN_FILES = 32

/** Says, in one sentence, when the limit of open files allows few clients only. Known on Linux alone. */
export function fileLimitWarnings(read: () => string = readLimits): string[] {
  const limit = /^Max open files\s+(\d+)/m.exec(read())?.[1]
  // "unlimited", or no Linux.
  if (limit === undefined || Number(limit) >= ENOUGH_FILES) return []
  const clients = Math.max(0, Number(limit) - OWN_FILES)
  return [
    `This process may have ${limit} files open, which is enough for about ${clients} clients. ` +
      'Raise the limit with "ulimit -n 65536", or LimitNOFILE=65536 in a systemd unit.',
  ]
}

/** Node raises its soft limit to the hard one when it starts: what is read here is what holds. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
