import { HubError, resolveHubLimits, type HubLimits } from '@millrace/server'
import { openHubFault } from '../http/open-hub-guard.ts'
import { limitsOf, type HubSettings } from '../hub-settings.ts'

/** Limits that the engine holds against each other. It stops at the first fault, so each pair is shown to it by itself. */
const PAIRS: readonly (readonly (keyof HubLimits)[])[] = [
  ['staleMs', 'maxUnsentMs'],
  ['maxPendingBytesTotal', 'maxBufferBytes'],
]

/**
 * Options that do not go together.
 *
 * @param faulty the names of options that have no value to judge by, since what was given is none
 */
export function problemsTogether(settings: HubSettings, faulty: ReadonlySet<string>): readonly string[] {
  const limits = limitsOf(settings)
  const isSound = (name: string): boolean => !faulty.has(name)
  const faults = PAIRS.filter((pair) => pair.every(isSound)).map((pair) =>
    limitsFault(Object.fromEntries(pair.map((name) => [name, limits[name]]))),
  )
  if (faulty.size === 0 && !faults.some((fault) => fault !== undefined)) faults.push(limitsFault(limits))
  if (isSound('host') && isSound('insecure')) faults.push(openHubFault(settings))
  return faults.filter((fault) => fault !== undefined)
}

function limitsFault(limits: Partial<HubLimits>): string | undefined {
  try {
    resolveHubLimits(limits)
    return undefined
  } catch (error) {
    if (error instanceof HubError) return error.message
    throw error
  }
}
