/** What `docs/client.md` and the README say of the stream is compiled, or computed. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ClientError } from '../../src/client-error.ts'
import { retryPolicy } from '../../src/stream/retry-policy.ts'
import { defaultStreamLimits, type StreamOptions } from '../../src/stream/stream-options.ts'

const guide = read('../../../../docs/client.md')
const programs = readdirSync(new URL('.', import.meta.url))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => read(name))

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

test('every program of the guide is one that is compiled, and the other way round', () => {
  const shown = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program]) => program)
  expect(new Set(shown)).toEqual(new Set(programs))
  expect(shown).toHaveLength(programs.length)
})

test.each(['../../README.md', '../../../../README.md'])('%s begins as the guide does', (readme) => {
  expect(read(readme)).toContain(`\`\`\`ts\n${read('first.ts')}\`\`\``)
})

test('the timeline of the back-off is what the policy gives', () => {
  const lines = [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => {
    const [least, most] = [0, 0.999_999].map((chance) => delayMs(failures, chance) / 1_000)
    const wait = `${(least ?? 0).toFixed(1)} – ${(most ?? 0).toFixed(1)} s`
    return `| ${failures === 0 ? 'a good connection ended' : `${failures} in a row failed`} | ${wait} |`
  })
  expect(guide).toContain(lines.join('\n'))
})

test('the defaults of the guide are those of the code', () => {
  for (const [name, value] of Object.entries(defaultStreamLimits)) expect(guide).toContain(`| \`${name}\` | ${value} |`)
})

/** The compiler sees to it that none is forgotten. */
const options = Object.keys({
  authorize: true,
  client: true,
  clock: true,
  connectTimeoutMs: true,
  credentials: true,
  debug: true,
  fetch: true,
  fraction: true,
  from: true,
  giveUpAfterMs: true,
  headers: true,
  lastId: true,
  limits: true,
  maxAttempts: true,
  maxBackoffMs: true,
  maxQueueCount: true,
  method: true,
  minDelayMs: true,
  onAttempt: true,
  onError: true,
  onState: true,
  onSync: true,
  parse: true,
  persist: true,
  pollIntervalMs: true,
  pollWaitMs: true,
  retryPolicy: true,
  share: true,
  signal: true,
  silenceMs: true,
  streamRetryMs: true,
  streamTimeoutMs: true,
  topics: true,
  transport: true,
  types: true,
} satisfies Record<keyof StreamOptions, true>)

test('every option of the stream is in a table of the guide, and no other', () => {
  const [, section = ''] = /## Options\n([\s\S]*?)\n## /.exec(guide) ?? []
  const rows = [...section.matchAll(/^\| (`[^|]*?) \|/gm)].flatMap(([, names = '']) => names.split(', '))
  expect(rows.map((name) => name.replaceAll('`', '')).sort()).toEqual(options.sort())
})

test.each(['eventsource', 'undici', 'event-source-polyfill', 'eventsource-client', '@microsoft/fetch-event-source'])(
  'who comes from %s finds what to write instead',
  (name) => expect(guide).toContain(`\n| \`${name}\` | `),
)

function delayMs(failures: number, chance: number): number {
  const state = { failures, failingMs: 0, floorMs: 3_000, wasGood: true, canRenew: false }
  const decision = retryPolicy(defaultStreamLimits, () => chance)(new ClientError('network', ''), state)
  return 'delayMs' in decision ? decision.delayMs : Number.NaN
}
