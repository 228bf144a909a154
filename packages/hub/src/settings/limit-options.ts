import { defaultHubLimits, hubLimitRanges, type HubLimits } from '@millrace/server'
import { choiceOption, numberOption, numberOrFalseOption, type Group, type Option, type OptionText } from './option.ts'

type NumberLimit = { [K in keyof HubLimits]: HubLimits[K] extends number ? K : never }[keyof HubLimits]

/** The engine's own limits. One that the engine gets and that is missing here does not compile. */
export const limitOptions: { readonly [K in keyof HubLimits]: Option<HubLimits[K]> } = {
  heartbeatMs: limit('heartbeatMs', 'MS', 'Streams', {
    summary: 'a quiet stream gets a heartbeat after this silence',
    reason:
      'Proxies and load balancers cut what is silent for 60 s (nginx, AWS ALB), some for 30 s; and a client that left without a word is found by what it does not take.',
    advice:
      '"Every 30 s" is common: one heartbeat that is late or lost then reaches the 60 s of nginx. It is sent only when nothing else was.',
  }),
  retryMs: limit('retryMs', 'MS', 'Streams', {
    summary: 'how long a client waits before it comes back, ± 50% for each stream',
    reason: 'What Chromium waits anyway; each stream gets a time of its own, so that a restart is no stampede.',
    advice:
      'Browsers are often said to back off by themselves. They do not: they come back after this time, every time.',
  }),
  maxTopicsPerStream: limit('maxTopicsPerStream', 'N', 'Streams', {
    summary: 'topics and patterns that one stream may ask for',
    reason: 'More do not fit well into a URL, and a pattern says it shorter.',
  }),
  drainMs: limit('drainMs', 'MS', 'Streams', {
    summary: 'when the hub stops, its streams are ended over this time',
    reason: 'Kubernetes kills after 30 s: this leaves room for what comes after.',
    advice: 'Closing all at once is usual, and brings all clients back at once.',
  }),
  maxEventBytes: limit('maxEventBytes', 'BYTES', 'Events', {
    summary: 'the largest event: topic, type, data, key, except and dedupeKey together',
    reason:
      'An event goes to everybody who listens, so a large one costs its size times that. Send a reference, and let clients fetch the rest.',
  }),
  flushIntervalMs: limit('flushIntervalMs', 'MS', 'Events', {
    summary: 'events that follow within this time leave together; the first leaves at once',
    reason: 'Nobody sees 5 ms, and one write for many events is what makes a million deliveries a second possible.',
    advice: 'Elsewhere each event is written to each client by itself.',
  }),
  slowPolicy: choiceOption(['catch-up', 'sync', 'disconnect'], {
    group: 'Slow clients',
    default: defaultHubLimits.slowPolicy,
    summary:
      'what happens to a client that falls behind: it reads on at its own pace, jumps to the head with a notice, or is cut',
    reason: 'It loses nothing, and costs one buffer.',
    advice: 'Buffering without a bound, or dropping events in silence, is what most servers do.',
  }),
  maxReplayCount: numberOrFalseOption('N', hubLimitRanges.maxReplayCount, {
    group: 'Slow clients',
    default: defaultHubLimits.maxReplayCount,
    summary: 'a stream that comes back and missed more events than this is told so instead; false for no limit',
    reason: 'Retention bounds a replay already, and the client reads it at its own pace.',
  }),
  maxBufferBytes: limit('maxBufferBytes', 'BYTES', 'Slow clients', {
    summary: 'a client with more than this unsent has fallen behind',
    reason: 'A second of 1 Mbit/s: a short stall is none, and ten thousand slow clients still fit into 1.3 GB.',
  }),
  maxPendingBytesTotal: numberOrFalseOption('BYTES', hubLimitRanges.maxPendingBytesTotal, {
    group: 'Slow clients',
    default: defaultHubLimits.maxPendingBytesTotal,
    summary: 'with more than this unsent in all, the clients that have waited for longest are cut; false for no limit',
    reason:
      'Eight thousand clients with full buffers of which nothing is shared, which a machine with 2 GB survives. It is the last line: a client that is behind costs one buffer anyway.',
    advice: 'Servers mostly bound one connection, and run out of memory when many are slow at once.',
  }),
  maxUnsentMs: limit('maxUnsentMs', 'MS', 'Slow clients', {
    summary: 'a client that an event waits for longer than this has fallen behind',
    reason: 'The buffers of the operating system hide slowness from a count of bytes.',
  }),
  staleMs: numberOrFalseOption('MS', hubLimitRanges.staleMs, {
    group: 'Slow clients',
    default: defaultHubLimits.staleMs,
    summary: 'a connection that takes nothing for this long while bytes wait is destroyed; false for never',
    reason: 'Nobody is there any more. TCP itself takes a quarter of an hour to find out.',
  }),
  hotWindowCount: limit('hotWindowCount', 'N', 'Memory and load', {
    summary: 'recent events held in memory, ready to send; no more than the narrowest retention rule keeps',
    reason: 'Whoever was away for seconds comes back without a read of the log.',
  }),
  hotWindowBytes: limit('hotWindowBytes', 'BYTES', 'Memory and load', {
    summary: 'bytes of recent events held in memory',
    reason: 'Bounds the memory of the events above, whatever their size.',
  }),
  maxLagMs: limit('maxLagMs', 'MS', 'Memory and load', {
    summary: 'when delivery lags by more than this, publishing and new streams are refused for a while',
    reason: 'Better one clear 429 now than memory that grows, and events that arrive long after they meant something.',
  }),
}

function limit<K extends NumberLimit>(
  name: K,
  unit: 'MS' | 'BYTES' | 'N',
  group: Group,
  text: Omit<OptionText<number>, 'default' | 'group'>,
): Option<HubLimits[K]> {
  const given: OptionText<number> = { ...text, group, default: defaultHubLimits[name] }
  return numberOption(unit, hubLimitRanges[name], given)
}
