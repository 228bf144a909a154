import type { Backend } from './backend.ts'
import type { Chance } from './chance.ts'
import type { Clock } from './clock.ts'
import { HubError } from './hub-error.ts'
import type { HubObserver } from './hub-observer.ts'
import type { SlowPolicy } from './subscribe-request.ts'

/** The limits and times of a hub. Each has a default; see {@link defaultHubLimits}. */
export interface HubLimits {
  /** A comment or a `stream:position` is sent after this silence. Milliseconds, 100 to 3,600,000. @default 15000 */
  readonly heartbeatMs: number
  /** The middle of the reconnection time sent to clients; each stream gets a value within ± 50%. Milliseconds, 1 to 600,000. @default 3000 */
  readonly retryMs: number
  /** Events that follow within this time leave together; the first after a pause leaves at once. Milliseconds, 0 to 1,000. @default 5 */
  readonly flushIntervalMs: number
  /** A live subscriber with more than this waiting in its transport has fallen behind. One frame may exceed it. Bytes, 1,024 to 1 GiB. @default 131072 */
  readonly maxBufferBytes: number
  /**
   * When more waits in all transports together, the subscribers whose bytes have been waiting for longest are cut off,
   * until a sixteenth of it is free; their ids are good for coming back. What is shared counts once, with its whole
   * allocation. Not less than `maxBufferBytes`. Bytes, 1,024 to 1 TiB, or false. @default 1073741824
   */
  readonly maxPendingBytesTotal: number | false
  /** A live subscriber has fallen behind when an accepted frame is unsent for this long. Milliseconds, 100 to 3,600,000. @default 10000 */
  readonly maxUnsentMs: number
  /** A connection that takes no byte for this long while bytes wait is destroyed. Not less than `maxUnsentMs`. Milliseconds, 100 to 2,147,483,647, or false for never. @default 60000 */
  readonly staleMs: number | false
  /** What happens to a live subscriber that has fallen behind. @default 'catch-up' */
  readonly slowPolicy: SlowPolicy
  /** The largest event: topic, type, data, key, except and dedupeKey together. Bytes of UTF-8, 1 to 16 MiB. @default 65536 */
  readonly maxEventBytes: number
  /** Topics and patterns of one stream. 1 to 10,000. @default 100 */
  readonly maxTopicsPerStream: number
  /**
   * How many recent events are held in memory, ready to send; never more than every retention rule of the backend
   * keeps. 1 to 1,000,000. @default 4096
   */
  readonly hotWindowCount: number
  /** How many bytes of recent events are held in memory. Bytes, 1,024 to 1 GiB. @default 16777216 */
  readonly hotWindowBytes: number
  /** When delivery lags behind the log by more than this, publishing and new streams are refused until it caught up. Milliseconds, 1 to 2,147,483,647. @default 5000 */
  readonly maxLagMs: number
  /** When the hub closes, its streams are ended over this time. Milliseconds, 0 to 3,600,000. @default 10000 */
  readonly drainMs: number
  /**
   * A stream that comes back, or asks for `earliest`, and would be sent more events than this is told `too_far` instead,
   * and goes on as it asked to after a gap; with `earliest` from now. 1 to 1,000,000,000, or false. @default false
   */
  readonly maxReplayCount: number | false
}

export const defaultHubLimits: HubLimits = Object.freeze({
  heartbeatMs: 15_000,
  retryMs: 3_000,
  flushIntervalMs: 5,
  maxBufferBytes: 128 * 1024,
  maxPendingBytesTotal: 2 ** 30,
  maxUnsentMs: 10_000,
  staleMs: 60_000,
  slowPolicy: 'catch-up',
  maxEventBytes: 64 * 1024,
  maxTopicsPerStream: 100,
  hotWindowCount: 4096,
  hotWindowBytes: 16 * 1024 * 1024,
  maxLagMs: 5_000,
  drainMs: 10_000,
  maxReplayCount: false,
})

export interface HubOptions extends Partial<HubLimits> {
  readonly backend: Backend
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
  /**
   * Is told of faults that no caller learns of, with what was being done, such as a transport that throws. Must not
   * throw. @default they are dropped
   */
  readonly onError?: (error: unknown, context: string) => void
  /** @default nobody is told */
  readonly observer?: HubObserver
}

/** The least and the most of each limit that is a number; `false` is beside them for those that can be switched off. */
export const hubLimitRanges: {
  readonly [K in Exclude<keyof HubLimits, 'slowPolicy'>]: readonly [min: number, max: number]
} = Object.freeze({
  heartbeatMs: [100, 3_600_000],
  retryMs: [1, 600_000],
  flushIntervalMs: [0, 1_000],
  maxBufferBytes: [1_024, 2 ** 30],
  maxPendingBytesTotal: [1_024, 2 ** 40],
  maxUnsentMs: [100, 3_600_000],
  staleMs: [100, 2 ** 31 - 1],
  maxEventBytes: [1, 16 * 1024 * 1024],
  maxTopicsPerStream: [1, 10_000],
  hotWindowCount: [1, 1_000_000],
  hotWindowBytes: [1_024, 2 ** 30],
  maxLagMs: [1, 2 ** 31 - 1],
  drainMs: [0, 3_600_000],
  maxReplayCount: [1, 1_000_000_000],
})

const SLOW_POLICIES: ReadonlySet<SlowPolicy> = new Set(['catch-up', 'sync', 'disconnect'])
/** Limits that can be switched off. */
const SWITCHABLE = new Set(['staleMs', 'maxReplayCount', 'maxPendingBytesTotal'])

/** Checks the limits and fills in the defaults. @throws HubError `invalid_option` */
export function resolveHubLimits(given: Partial<HubLimits>): HubLimits {
  const limits: HubLimits = { ...defaultHubLimits, ...defined(given) }
  for (const [name, range] of Object.entries(hubLimitRanges)) checkRange(name, limits[name as keyof HubLimits], range)
  if (!SLOW_POLICIES.has(limits.slowPolicy)) {
    throw new HubError(
      'invalid_option',
      `slowPolicy is ${JSON.stringify(limits.slowPolicy)}; use 'catch-up', 'sync' or 'disconnect'.`,
    )
  }
  if (limits.staleMs !== false && limits.staleMs < limits.maxUnsentMs) {
    throw new HubError(
      'invalid_option',
      `staleMs (${limits.staleMs}) is less than maxUnsentMs (${limits.maxUnsentMs}): a slow client would be cut before it could catch up. Raise staleMs.`,
    )
  }
  if (limits.maxPendingBytesTotal !== false && limits.maxPendingBytesTotal < limits.maxBufferBytes) {
    throw new HubError(
      'invalid_option',
      `maxPendingBytesTotal (${limits.maxPendingBytesTotal}) is less than maxBufferBytes (${limits.maxBufferBytes}): one slow client would be cut off before it could catch up. Raise maxPendingBytesTotal.`,
    )
  }
  return limits
}

const PARTS = new Set(['backend', 'clock', 'chance', 'onError', 'observer'])

/** The limits that are given, without those that are left undefined. */
function defined(given: Partial<HubLimits>): Partial<HubLimits> {
  const limits: { [name: string]: unknown } & Partial<HubLimits> = {}
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(defaultHubLimits, name)) {
      if (value !== undefined) limits[name] = value
    } else if (!PARTS.has(name)) {
      throw unknownOption(name)
    }
  }
  return limits
}

function unknownOption(name: string): HubError {
  const hint =
    name === 'topics'
      ? 'retention by topic is the backend\u2019s: memory({ topics })'
      : `it has ${[...PARTS, ...Object.keys(defaultHubLimits)].join(', ')}`
  return new HubError('invalid_option', `A hub has no option ${JSON.stringify(name)}: ${hint}.`)
}

function checkRange(name: string, value: unknown, [min, max]: readonly [number, number]): void {
  if (value === false && SWITCHABLE.has(name)) return
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return
  throw new HubError(
    'invalid_option',
    `${name} is ${JSON.stringify(value)}; it must be an integer from ${min} to ${max}${SWITCHABLE.has(name) ? ', or false' : ''}.`,
  )
}
