import { parseTopic } from '@millrace/protocol'
import { describe, expect, test } from 'vitest'
import { HubError } from '../src/hub-error.ts'
import { memory, type MemoryLogOptions } from '../src/memory/memory-backend.ts'
import { defaultRetention, resolveTopicRules, ruleIndexOf } from '../src/memory/topic-rules.ts'

/** What a program in JavaScript, or a configuration file, may give. */
function options(value: unknown): MemoryLogOptions {
  return value as MemoryLogOptions
}

describe('topic rules', () => {
  test('an hour, 100,000 events and 256 MiB are kept by default', () => {
    expect(defaultRetention).toEqual({ maxAgeMs: 3_600_000, maxCount: 100_000, maxBytes: 268_435_456 })
  })

  test('a limit that is left out has its default, and false is off', () => {
    const rules = resolveTopicRules([{ match: 'a.>', retention: { maxCount: 5, maxBytes: false } }, { match: 'b' }])
    expect(rules).toEqual([
      { match: 'a.>', retention: { maxAgeMs: 3_600_000, maxCount: 5, maxBytes: false } },
      { match: 'b', retention: defaultRetention },
      { match: '>', retention: defaultRetention },
    ])
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
    [{ topics: [{ match: 'a', kind: 'state' }] }, 'topics[0].kind cannot be "state": state topics are not built yet'],
    [{ topics: [{ match: 'a', kind: 'stat' }] }, 'topics[0].kind cannot be "stat": use "log"'],
    [{ topics: [{ match: 'a', presence: true }] }, 'topics[0].presence cannot be true: this is not built yet'],
    [{ topics: [{ match: 'a', retain: {} }] }, 'topics[0].retain cannot be'],
    [{ topics: [{ match: 'a', retention: 5 }] }, 'topics[0].retention cannot be 5: give an object of limits'],
    [
      { topics: [{ match: 'a', retention: { maxAge: 5 } }] },
      'topics[0].retention.maxAge cannot be 5: known limits are maxAgeMs',
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
    [{ maxTopic: 5 }, 'The memory log has no option "maxTopic": it has topics, maxTopics'],
  ] as const)('%j is refused', ([given, message]) => {
    const open = (): unknown => memory(options(given))
    expect(open).toThrow(HubError)
    expect(open).toThrow(message)
  })
})
