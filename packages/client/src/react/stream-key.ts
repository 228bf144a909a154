import type { UseStreamOptions } from './stream-handle.ts'

/**
 * What belongs to a component, not to the connection: components that differ in nothing else share one. They may tell
 * different things to different people, and all of them are told.
 */
const OBSERVERS = new Set(['onSync', 'onError', 'onState', 'onAttempt'])

/**
 * Equal for streams that can share a connection: the same URL, and options with the same values. Functions and objects of a
 * class have no value to compare: they count as equal when both are there.
 */
export function streamKey(url: string | URL, options: UseStreamOptions): string {
  const { topics, headers, ...others } = options
  try {
    return JSON.stringify([
      String(url),
      topics === undefined ? null : [...new Set(topics)].sort(),
      headers === undefined ? null : [...new Headers(headers)],
      canonical(Object.fromEntries(Object.entries(others).filter(([name]) => !OBSERVERS.has(name)))),
    ])
  } catch {
    // What has no value to compare cannot be used: `connect` says why.
    return String(url)
  }
}

/** Names in order, what is undefined left out. */
function canonical(value: unknown): unknown {
  if (typeof value === 'function') return '()'
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(canonical)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return '{}'
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, canonical(one)]))
}
