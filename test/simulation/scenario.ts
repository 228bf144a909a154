import { parseSelector, parseTopic, type Selector, type Topic } from '@millrace/protocol'
import type { HubLimits, SubscribeRequest } from '@millrace/server'
import type { Random } from './random.ts'
import type { SocketShape } from './fake-socket.ts'

export interface RetentionRule {
  readonly match: Selector
  readonly maxCount: number
}

/** What one seed decides before anything happens. */
export interface Scenario {
  readonly nodeCount: number
  readonly clientCount: number
  /** So many more clients all ask for the same: a pass over them takes several slices. */
  readonly crowdCount: number
  readonly limits: Pick<
    HubLimits,
    | 'heartbeatMs'
    | 'retryMs'
    | 'flushIntervalMs'
    | 'maxBufferBytes'
    | 'maxPendingBytesTotal'
    | 'maxUnsentMs'
    | 'staleMs'
    | 'slowPolicy'
    | 'hotWindowCount'
    | 'hotWindowBytes'
    | 'maxLagMs'
    | 'drainMs'
    | 'maxReplayCount'
  >
  /** Whether there are topics that hold values. */
  readonly hasValues: boolean
  /** How often a key is sent, at most. */
  readonly maxRatePerSecond: number | false
  /** How often an event finishes its topic. */
  readonly endShare: number
  /** How often an event is kept from the clients of a name. */
  readonly exceptShare: number
  /** How often an event is only for those who are there. */
  readonly blipShare: number
  readonly log: {
    readonly retention: readonly RetentionRule[]
    readonly exactEviction: boolean
    /** A read looks at no more than this many entries, and may so end before the head with an empty page. */
    readonly scanCount: number
    /** A tail leaves out what was evicted before it was handed over. */
    readonly tailSkipsEvicted: boolean
  }
  /** Readers inside the nodes' processes. */
  readonly readerCount: number
  /** How far time creeps on at each look at the clock, at most. Milliseconds. */
  readonly creepMs: number
  /** Whether trouble begins before the nodes follow the log. */
  readonly startsInTrouble: boolean
  /** Whether the last of the trouble is a new epoch, which no tail has heard of when calm begins. */
  readonly endsInNewEpoch: boolean
  /** Whether questions are asked when all is calm: they take as long as a trouble. */
  readonly probes: boolean
  /** How often each kind of thing happens, relative to the others. */
  readonly pace: Readonly<Record<Happening, number>>
}

export type Happening =
  | 'soon'
  | 'time'
  | 'long-time'
  | 'log-call'
  | 'tail'
  | 'publish'
  | 'append-elsewhere'
  | 'network'
  | 'stall'
  | 'notify'
  | 'connect'
  | 'new-client'
  | 'read'
  | 'cut'
  | 'vanish'
  | 'forge'
  | 'evict'
  | 'log-fails'
  | 'log-heals'
  | 'tail-breaks'
  | 'tail-mends'
  | 'tail-hole'
  | 'new-epoch'
  | 'end-one'
  | 'change-topics'
  | 'node-crash'
  | 'node-drain'

const TOPICS: readonly Topic[] = ['a.x', 'a.y', 'a.y.deep', 'a', 'b', 'b.q', 'c.z.w', '@alice', '@bob'].map((text) =>
  parseTopic(text),
)
const SELECTORS: readonly Selector[] = [
  'a.x',
  'a.y',
  'a',
  'b',
  'c.z.w',
  'a.*',
  'a.>',
  '>',
  '*',
  '*.y',
  'b.*',
  'a.*.deep',
  '*.*',
  '@alice',
  'none.such',
].map((text) => parseSelector(text))
const VALUE_TOPICS: readonly Topic[] = ['s.one', 's.two'].map((text) => parseTopic(text))
const VALUE_SELECTORS: readonly Selector[] = ['s.one', 's.two', 's.*', 's.>'].map((text) => parseSelector(text))
const TYPES = ['tick', 'trade', 'note'] as const

/** Decides on a scenario. Most seeds are calm in most respects, so that each trouble is also seen by itself. */
export function drawScenario(random: Random): Scenario {
  const troubled = (probability: number, weight: number): number => (random.chance(probability) ? weight : 0)
  const exactEviction = !random.chance(0.15)
  const crowdCount = random.chance(0.1) ? random.between(20, 50) : 0
  const creepMs = crowdCount > 0 ? 8 : random.pick([0, 0, 0.2, 3])
  const readerCount = random.chance(0.3) ? random.between(1, 2) : 0
  const maxUnsentMs = random.pick([100, 500, 10_000])
  const scenario: Scenario = {
    nodeCount: random.chance(0.25) ? 2 : 1,
    clientCount: random.between(1, 7),
    crowdCount,
    readerCount,
    limits: {
      heartbeatMs: random.pick(creepMs >= 3 ? [1000, 15_000] : [100, 250, 1000, 15_000]),
      retryMs: random.pick([1, 200, 3000]),
      flushIntervalMs: random.pick([0, 1, 5, 10]),
      maxBufferBytes: random.pick([1024, 1024, 1100, 1500, 2500, 5000, 131_072]),
      maxPendingBytesTotal: false,
      maxUnsentMs,
      staleMs: random.pick([1, 3, 10]) * Math.max(500, maxUnsentMs),
      slowPolicy: random.pick(['catch-up', 'catch-up', 'sync', 'disconnect']),
      maxReplayCount: random.pick([false, false, false, 1, 4, 12]),
      hotWindowCount: random.pick([1, 3, 5, 10, 20, 50]),
      hotWindowBytes: random.pick([1024, 2000, 100_000]),
      maxLagMs: random.pick([200, 5000, 60_000]),
      drainMs: random.pick([100, 1000]),
    },
    log: {
      retention: drawRetention(random),
      exactEviction,
      scanCount: random.pick([3, 10, 1000]),
      tailSkipsEvicted: random.chance(0.3),
    },
    hasValues: random.chance(0.4),
    maxRatePerSecond: random.pick([false, 1, 3, 20, 200]),
    endShare: random.pick([0, 0.1, 0.3]),
    exceptShare: random.pick([0, 0, 0.2]),
    blipShare: random.pick([0, 0, 0.1]),
    creepMs,
    startsInTrouble: random.chance(0.2),
    endsInNewEpoch: random.chance(0.1),
    probes: random.chance(0.4),
    pace: {
      soon: random.pick([6, 20]),
      time: random.pick([3, 8, 16]),
      'long-time': troubled(0.5, 1),
      'log-call': random.pick([3, 10, 20]),
      tail: random.pick([3, 10, 20]),
      publish: random.pick([2, 5, 10]),
      'append-elsewhere': troubled(0.4, 3),
      network: random.pick([5, 15, 30]),
      stall: troubled(0.4, 0.8),
      notify: random.pick([4, 12]),
      connect: crowdCount > 0 ? 12 : random.pick([2, 6]),
      'new-client': 0.3,
      read: 4 * readerCount,
      cut: crowdCount > 0 ? 6 : troubled(0.7, random.pick([0.5, 2])),
      vanish: troubled(0.4, 0.5),
      forge: troubled(0.4, 0.7),
      evict: troubled(0.5, random.pick([0.3, 2])),
      'log-fails': troubled(0.35, 0.5),
      'log-heals': 2,
      'tail-breaks': troubled(0.35, 0.5),
      'tail-mends': 2,
      'tail-hole': troubled(0.25, 0.5),
      'new-epoch': troubled(0.25, 0.3),
      'end-one': troubled(0.2, 0.2),
      'change-topics': troubled(0.3, 2),
      'node-crash': troubled(0.2, 0.2),
      'node-drain': troubled(0.15, 0.2),
    },
  }
  const { maxBufferBytes } = scenario.limits
  const maxPendingBytesTotal = random.chance(0.2) && Math.max(maxBufferBytes, random.pick([2_500, 4_000, 8_000]))
  // Who is cut off while it is asked cannot say how much it was given.
  const probes = scenario.probes && maxPendingBytesTotal === false
  return { ...scenario, probes, limits: { ...scenario.limits, maxPendingBytesTotal } }
}

function drawRetention(random: Random): RetentionRule[] {
  const rules: RetentionRule[] = []
  if (random.chance(0.4)) rules.push({ match: parseSelector('a.x'), maxCount: random.between(1, 4) })
  if (random.chance(0.4)) rules.push({ match: parseSelector('a.>'), maxCount: random.between(1, 12) })
  if (random.chance(0.3)) rules.push({ match: parseSelector('@alice'), maxCount: random.between(1, 5) })
  rules.push({ match: parseSelector('>'), maxCount: random.pick([2, 6, 15, 40, 1000]) })
  return rules
}

const NAMES = ['ann', 'ben', undefined]

export function drawRequest(random: Random, { hasValues }: Scenario): Omit<SubscribeRequest, 'lastEventId'> {
  const selectors = new Set<Selector>()
  const count = random.pick([1, 1, 2, 3])
  const ofValues = hasValues ? VALUE_SELECTORS : []
  while (selectors.size < count) selectors.add(random.pick([...SELECTORS, ...ofValues]))
  return {
    selectors: [...selectors],
    types: random.chance(0.25) ? [random.pick([...TYPES, 'message'])] : [],
    from: random.pick(['now', 'now', 'snapshot', 'earliest']),
    client: random.pick(NAMES),
    slowPolicy: random.pick([undefined, undefined, 'sync', 'catch-up']),
    nameBy: random.chance(0.2) ? 'topic' : 'type',
    envelope: random.chance(0.15),
  }
}

export function drawSocketShape(random: Random): SocketShape {
  return {
    kernelBytes: random.pick([20, 100, 500, 4000, 1_000_000]),
    highWaterMarkBytes: random.pick([1, 200, 1000, 4000, 65_536]),
    eager: random.chance(0.6),
  }
}

/** An event as a publisher gives it to the hub. */
export interface DrawnEvent {
  readonly topic: Topic
  readonly type?: string
  readonly data: unknown
  readonly key?: string
  readonly except?: string
  readonly end?: true
  readonly ephemeral?: true
}

/** Gives each value of a state topic and each ephemeral event a number of its own. */
export interface Counter {
  next(): number
}

export function drawEvents(random: Random, scenario: Scenario, counter: Counter): DrawnEvent[] {
  const topics = scenario.hasValues ? [...TOPICS, ...VALUE_TOPICS, ...VALUE_TOPICS] : TOPICS
  const busy = random.pick(topics)
  const count = random.pick([1, 1, 1, 2, 5, 12])
  return Array.from({ length: count }, () => {
    const topic = random.chance(0.5) ? busy : random.pick(topics)
    const isBlip = random.chance(scenario.blipShare)
    return {
      topic,
      ...(random.chance(0.5) ? { type: random.pick(TYPES) } : {}),
      ...(random.chance(scenario.exceptShare) ? { except: random.pick(['ann', 'ben']) } : {}),
      ...(isBlip ? { data: { blip: counter.next() }, ephemeral: true } : drawKept(random, topic, scenario, counter)),
    }
  })
}

function drawKept(
  random: Random,
  topic: Topic,
  { endShare }: Scenario,
  counter: Counter,
): Pick<DrawnEvent, 'data' | 'key' | 'end'> {
  const end = random.chance(endShare) ? { end: true as const } : {}
  if (!topic.startsWith('s.')) return { data: drawData(random), ...end }
  const key = random.pick([undefined, 'k1', 'k2', 'k3'])
  const data = { value: counter.next(), of: 'x'.repeat(random.pick([0, 10, 200])) }
  return { data, ...(key === undefined ? {} : { key }), ...end }
}

function drawData(random: Random): unknown {
  return random.weighted<() => unknown>([
    [6, () => ({ price: random.below(10_000), of: 'x'.repeat(random.below(60)) })],
    [3, () => 'y'.repeat(random.between(0, 300))],
    [1, () => `first\nsecond ${random.token(4)}\n`],
    [1, () => `a\r\nb\rc\n\nid: 1-1-abc\ndata: ${random.token(2)}`],
    [1, () => ` : ${random.token(3)} \u{1F980} ž\uFEFF`],
    [0.3, () => 'z'.repeat(random.between(1000, 3000))],
    [0.5, () => random.pick([null, 0, false, [], ''])],
  ])()
}
