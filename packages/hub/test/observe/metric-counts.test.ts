/** What the counters count, each by the value of its label. */
import { createHub, type NodeHub } from '@millrace/node'
import { HubError, LogError, memory, type HubOptions } from '@millrace/server'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defaultHubSettings, type HubSettings } from '../../src/hub-settings.ts'
import type { StatsReport } from '../../src/http/admin-stats.ts'
import type { TopicReports } from '../../src/http/admin-topics.ts'
import { startHubServer, type HubServer } from '../../src/http/hub-server.ts'
import { publishLines } from '../../src/http/publish-lines.ts'
import { HubCounts } from '../../src/observe/hub-counts.ts'
import { HubMetrics } from '../../src/observe/hub-metrics.ts'
import { observers } from '../../src/observe/observers.ts'
import { ask, type HubAnswer } from '../support/hub-request.ts'
import { parseSamples, type Samples } from '../support/metric-samples.ts'

async function start(settings: Partial<HubSettings> = {}): Promise<HubServer> {
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0, ...settings })
  onTestFinished(() => server.close({ drainMs: 0 }))
  return server
}

const read = async (server: HubServer): Promise<Samples> => parseSamples((await ask(`${server.url}/metrics`)).body)

function post(server: HubServer, body: string, type = 'application/json'): Promise<HubAnswer> {
  return ask(`${server.url}/events`, { method: 'POST', headers: { 'content-type': type }, body })
}

/** Looks until the series has the value; the test's own time limit ends it. */
async function until(server: HubServer, name: string, value: number): Promise<Samples> {
  for (;;) {
    const samples = await read(server)
    if (samples.get(name) === value) return samples
  }
}

/** The counts of events that were not stored that are not 0. */
async function failures(server: HubServer): Promise<Record<string, number>> {
  const entries = [...(await read(server))].flatMap(([name, value]) => {
    const code = /^millrace_publish_failures_total\{code="(\w+)"\}$/.exec(name)?.[1]
    return code !== undefined && value > 0 ? [[code, value] as const] : []
  })
  return Object.fromEntries(entries)
}

test('what repeats a dedupeKey is not counted again, neither in the metrics nor in the administration', async () => {
  const server = await start()
  for (let i = 0; i < 5; i++) await post(server, '{"topic":"a","data":"four","dedupeKey":"k"}')
  await post(server, '[{"topic":"a","data":"more","dedupeKey":"k"},{"topic":"a","data":"last"}]')
  const samples = await read(server)
  expect(samples.get('millrace_events_published_total')).toBe(2)
  expect(samples.get('millrace_published_bytes_total')).toBe(8)
  expect(samples.get('millrace_log_append_events_sum')).toBe(2)
  const stats = JSON.parse((await ask(`${server.url}/admin/stats`)).body) as StatsReport
  expect({ events: stats.events.published, bytes: stats.bytes.published }).toEqual({ events: 2, bytes: 8 })
  const { topics } = JSON.parse((await ask(`${server.url}/admin/topics`)).body) as TopicReports
  expect(topics).toMatchObject([{ topic: 'a', events: 2, bytes: 8 }])
})

describe('posted events that are not stored are counted, by why', () => {
  test.each([
    ['no JSON', '{', 'application/json', { invalid: 1 }],
    [
      'one of an array is wrong',
      '[{"topic":"a","data":1},{"topic":"a b","data":1}]',
      'application/json',
      { invalid: 2 },
    ],
    ['a type that is none', '{}', 'text/plain', { invalid: 1 }],
    [
      'an event that is too large',
      `{"topic":"a","data":"${'x'.repeat(70_000)}"}`,
      'application/json',
      { too_large: 1 },
    ],
    ['a body that is too large', ' '.repeat(1_100_000), 'application/json', { too_large: 1 }],
    ['a wrong line', '{"topic":"a","data":1}\n{}\n{}\n', 'application/x-ndjson', { invalid: 1 }],
    [
      'a line that is too large',
      `{"topic":"a","data":"${'x'.repeat(70_000)}"}\n{}`,
      'application/x-ndjson',
      { too_large: 1 },
    ],
    ['keys of state topics', '[{"topic":"s.a","data":1},{"topic":"s.b","data":1}]', 'application/json', { full: 2 }],
    [
      'lines with too many keys',
      '{"topic":"s.a","data":1}\n{"topic":"s.b","data":1}\n',
      'application/x-ndjson',
      { full: 1 },
    ],
  ])('%s', async (_what, body, type, counts) => {
    const server = await start({ topics: [{ match: 's.>', kind: 'state' }], maxStateKeys: 1 })
    await post(server, body, type)
    expect(await failures(server)).toEqual(counts)
    const stats = JSON.parse((await ask(`${server.url}/admin/stats`)).body) as StatsReport
    expect(stats.errors.publishFailures).toBe(Object.values(counts).reduce((sum, count) => sum + count, 0))
  })

  test('a hub that is closing', async () => {
    const server = await start()
    await server.hub.close({ drainMs: 0 })
    expect((await post(server, '{"topic":"a","data":1}')).status).toBe(503)
    expect(await failures(server)).toEqual({ closed: 1 })
  })

  test.each([
    ['unavailable', 'unavailable', 3],
    ['overloaded', 'overloaded', 3],
    ['too_large', 'too_large', 1],
  ] as const)('lines, when the hub says %s', async (code, why, count) => {
    const hub = { limits: { maxEventBytes: 1_000 }, publish: () => Promise.reject(new HubError(code, 'No.')) }
    const request = Object.assign(Readable.from([Buffer.from('{"topic":"a","data":1}\n'.repeat(3))]), { socket: {} })
    const response = Object.assign(new PassThrough(), { writeHead: () => undefined })
    const counts = new HubCounts()
    const options = {
      onError: () => undefined,
      counts,
      lineTimeoutMs: 1_000,
      closing: new AbortController().signal,
      paced: new WeakSet(),
    }
    response.resume()
    await publishLines(
      hub as unknown as NodeHub,
      Object.assign(request, { complete: true }) as unknown as IncomingMessage,
      response as unknown as ServerResponse,
      options,
    )
    expect([...counts.publishFailures].filter(([, value]) => value > 0)).toEqual([[why, count]])
  })
})

/** A hub that is measured, without HTTP. */
async function measured(options: Partial<HubOptions> = {}): Promise<{ hub: NodeHub; read: () => Promise<Samples> }> {
  const counts = new HubCounts()
  const metrics = new HubMetrics(() => hub, counts)
  const hub: NodeHub = createHub({ backend: memory(), ...options, observer: observers([counts, metrics]) })
  await hub.ready()
  onTestFinished(() => hub.close({ drainMs: 0 }))
  return { hub, read: async () => parseSamples(await metrics.text()) }
}

const REQUEST = {
  selectors: [],
  types: [],
  from: 'now',
  lastEventId: undefined,
  nameBy: 'type',
  envelope: false,
} as const

describe('streams that are refused are counted, by why', () => {
  test('draining', async () => {
    const { hub, read: samples } = await measured()
    await hub.close({ drainMs: 0 })
    await hub.admit(REQUEST)
    const all = await samples()
    expect(all.get('millrace_connections_refused_total{reason="draining"}')).toBe(1)
    expect(all.get('millrace_log_following')).toBe(0)
  })

  test('log_unavailable', async () => {
    const backend = memory()
    const { hub, read: samples } = await measured({ backend })
    backend.log.bounds = () => Promise.reject(new LogError('unavailable', 'The disk is gone.'))
    await hub.admit({ ...REQUEST, from: 'earliest' })
    expect((await samples()).get('millrace_connections_refused_total{reason="log_unavailable"}')).toBe(1)
  })
})

test('a new stream that is sent values of state topics is no resumption', async () => {
  const server = await start({ topics: [{ match: 's.>', kind: 'state' }] })
  await post(server, '{"topic":"s.a","data":1}')
  const stream = await fetch(`${server.url}/events?topic=s.a`)
  onTestFinished(() => stream.body?.cancel())
  const samples = await until(server, 'millrace_replays_total{why="values"}', 1)
  expect(samples.get('millrace_replays_total{why="start"}')).toBe(0)
  expect(samples.get('millrace_hot_window_total{result="hit"}')).toBe(0)
  expect(samples.get('millrace_hot_window_total{result="miss"}')).toBe(0)
})

test('polls are counted by how they end, and their events', async () => {
  const server = await start()
  const poll = (query: string): Promise<Response> =>
    fetch(`${server.url}/events?topic=a&${query}`, { headers: { Accept: 'application/json' } })
  const { ids } = JSON.parse((await post(server, '{"topic":"a","data":1}')).body) as { ids: [string] }
  await post(server, '[{"topic":"a","data":2},{"topic":"a","data":3}]')
  await poll(`last_event_id=${ids[0]}`)
  await poll('wait=0')
  await poll('last_event_id=nonsense')
  const samples = await read(server)
  expect(samples.get('millrace_polls_total{outcome="events"}')).toBe(1)
  expect(samples.get('millrace_polls_total{outcome="empty"}')).toBe(1)
  expect(samples.get('millrace_polls_total{outcome="reset"}')).toBe(1)
  expect(samples.get('millrace_polls_total{outcome="failed"}')).toBe(0)
  expect(samples.get('millrace_polled_events_total')).toBe(2)
  expect(samples.get('millrace_events_delivered_total')).toBe(0)
  const stats = JSON.parse((await ask(`${server.url}/admin/stats`)).body) as StatsReport
  expect(stats.polls).toEqual({ answered: 3, events: 2 })
})

test('a poll that the log cannot answer is counted as failed', async () => {
  const backend = memory()
  const { hub, read: samples } = await measured({ backend })
  const { ids } = await hub.publish({ topic: 'a', data: 1 })
  backend.log.read = () => Promise.reject(new LogError('unavailable', 'The disk is gone.'))
  const lastEventId = ids[0]?.replace(/-\d+-/, '-0-')
  await expect(hub.poll({ ...REQUEST, lastEventId }, { waitMs: 0, wantsAllValues: false })).rejects.toThrow('away')
  expect((await samples()).get('millrace_polls_total{outcome="failed"}')).toBe(1)
})

test('a poll whose client leaves is counted as left', async () => {
  const { hub, read: samples } = await measured()
  const { ids } = await hub.publish({ topic: 'a', data: 1 })
  const leaving = new AbortController()
  const options = { waitMs: 60_000, wantsAllValues: false, signal: leaving.signal }
  const poll = hub.poll({ ...REQUEST, lastEventId: ids[0] ?? '' }, options)
  leaving.abort()
  await poll
  expect((await samples()).get('millrace_polls_total{outcome="left"}')).toBe(1)
})
