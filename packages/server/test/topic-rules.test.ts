import { parseTopic } from '@millrace/protocol'
import { describe, expect, test } from 'vitest'
import { HubError } from '../src/hub-error.ts'
import { memory, type MemoryOptions } from '../src/memory/memory-backend.ts'
import { defaultRetention, narrowestRetention, resolveTopicRules, ruleIndexOf } from '../src/memory/topic-rules.ts'

/** What a program in JavaScript, or a configuration file, may give. */
function options(value: unknown): MemoryOptions {
  return value as MemoryOptions
}

const allOwed = { maxRatePerSecond: false }

describe('topic rules', () => {
  test('an hour, 100,000 events and 256 MiB are kept by default', () => {
    expect(defaultRetention).toEqual({ maxAgeMs: 3_600_000, maxCount: 100_000, maxBytes: 268_435_456 })
  })

  test('a limit that is left out has its default, and false is off', () => {
    const rules = resolveTopicRules([{ match: 'a.>', retention: { maxCount: 5, maxBytes: false } }, { match: 'b' }])
    expect(rules).toEqual([
      { match: 'a.>', kind: 'log', retention: { maxAgeMs: 3_600_000, maxCount: 5, maxBytes: false }, ...allOwed },
      { match: 'b', kind: 'log', retention: defaultRetention, ...allOwed },
      { match: '>', kind: 'log', retention: defaultRetention, ...allOwed },
    ])
  })

  test('of state topics a minute, 10,000 events and 16 MiB of superseded values are kept by default', () => {
    const retention = { maxAgeMs: 60_000, maxCount: 10_000, maxBytes: 16_777_216 }
    const rules = resolveTopicRules([
      { match: 'a', kind: 'state' },
      { match: 'b', kind: 'state', retention: { maxCount: 5, maxAgeMs: false }, maxRatePerSecond: 10 },
    ])
    expect(rules.slice(0, 2)).toEqual([
      { match: 'a', kind: 'state', retention, ...allOwed },
      { match: 'b', kind: 'state', retention: { ...retention, maxCount: 5, maxAgeMs: false }, maxRatePerSecond: 10 },
    ])
  })

  test('the narrowest retention is that of log topics', () => {
    const rules = resolveTopicRules([
      { match: 'a', kind: 'state', retention: { maxCount: 1, maxBytes: 1, maxAgeMs: 1 } },
      { match: 'b', retention: { maxCount: 7, maxBytes: false } },
      { match: 'c', retention: { maxCount: false, maxBytes: 8, maxAgeMs: false } },
    ])
    expect(narrowestRetention(rules)).toEqual({ maxCount: 7, maxBytes: 8, maxAgeMs: 3_600_000 })
  })

  test('the first rule that matches is the one; the last one is for everything', () => {
    const rules = resolveTopicRules([{ match: 'a.b' }, { match: 'a.*' }, { match: '@alice' }])
    const indexes = ['a.b', 'a.c', 'a.b.c', '@alice', '@bob'].map((name) => ruleIndexOf(rules, parseTopic(name)))
    expect(indexes).toEqual([0, 1, 3, 2, 3])
  })

  test.for([
    [{ topics: 'chat.>' }, 'topics cannot be "chat.>": give a list of rules'],
    [{ topics: [null] }, 'topics[0] cannot be null: give an object with "match"'],
    [{ topics: [{ match: 'a' }, {}] }, 'topics[1].match cannot be undefined: give a topic or a pattern'],
    [{ topics: [{ match: 'a..b' }] }, 'topics[0].match: "a..b" is not a topic or pattern: it has an empty segment'],
    [{ topics: [{ match: 'a', kind: 'stat' }] }, 'topics[0].kind cannot be "stat": use "log" or "state"'],
    [
      { topics: [{ match: 'a', maxRatePerSecond: 5 }] },
      'topics[0].maxRatePerSecond cannot be 5: every event of a log topic is owed',
    ],
    [
      { topics: [{ match: 'a', kind: 'state', maxRatePerSecond: 1_001 }] },
      'topics[0].maxRatePerSecond cannot be 1001: give a whole number of values from 1 to 1000, or false',
    ],
    [{ topics: [{ match: 'a', kind: 'state', maxRatePerSecond: '5' }] }, 'maxRatePerSecond cannot be "5": give a'],
    [{ topics: [{ match: 'a', presence: true }] }, 'topics[0].presence cannot be true: this is not built yet'],
    [{ topics: [{ match: 'a', retain: {} }] }, 'topics[0].retain cannot be'],
    [{ topics: [{ match: 'a', retention: 5 }] }, 'topics[0].retention cannot be 5: give an object of limits'],
    [
      { topics: [{ match: 'a', retention: { maxAge: 5 } }] },
      'topics[0].retention.maxAge cannot be 5: did you mean maxAgeMs? known limits are maxAgeMs',
    ],
    [
      { topics: [{ match: 'a', retention: { maxCount: 0 } }] },
      'maxCount cannot be 0: give a whole number of events from 1 to',
    ],
    [
      { topics: [{ match: 'a', retention: { maxBytes: 1.5 } }] },
      'maxBytes cannot be 1.5: give a whole number of bytes',
    ],
    [
      { topics: [{ match: 'a', retention: { maxAgeMs: Infinity } }] },
      'maxAgeMs cannot be Infinity: give a whole number of milliseconds',
    ],
    [
      { topics: [{ match: 'a', retention: { maxAgeMs: '1h' } }] },
      'maxAgeMs cannot be "1h": give a whole number of milliseconds',
    ],
    [{ maxTopics: 0 }, 'maxTopics cannot be 0: give a whole number of topics from 1 to'],
    [{ maxStateKeys: 0 }, 'maxStateKeys cannot be 0: give a whole number of keys from 1 to 10000000'],
    [
      { dedupeWindowMs: 999 },
      'dedupeWindowMs cannot be 999: give a whole number of milliseconds from 1000 to 86400000',
    ],
    [{ maxDedupeKeys: 1.5 }, 'maxDedupeKeys cannot be 1.5: give a whole number of keys from 1 to'],
    [{ maxEntries: false }, 'maxEntries cannot be false: give a whole number of entries from 1 to'],
    [{ maxTopic: 5 }, 'The memory backend has no option "maxTopic": it has topics, maxTopics'],
  ] as const)('%j is refused', ([given, message]) => {
    const open = (): unknown => memory(options(given))
    expect(open).toThrow(HubError)
    expect(open).toThrow(message)
  })
})
