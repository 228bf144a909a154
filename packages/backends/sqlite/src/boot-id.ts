import { readFileSync } from 'node:fs'

/** Names this run of the machine, where the system does: on Linux. */
export function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
