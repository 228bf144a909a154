import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { defaultHubSettings } from '../../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../../src/http/hub-server.ts'
import { ask } from '../support/hub-request.ts'
import { parseSamples, type Samples } from '../support/metric-samples.ts'

let server: HubServer

beforeAll(async () => {
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
})
afterAll(() => server.close({ drainMs: 0 }))

async function scrape(): Promise<Samples> {
  const { status, body, headers } = await ask(`${server.url}/metrics`)
  expect({ status, type: headers['content-type'] }).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
  })
  return parseSamples(body)
}

/** Looks until the metric has the value; the test's own time limit ends it. */
async function until(name: string, reaches: (value: number) => boolean): Promise<Samples> {
  for (;;) {
    const samples = await scrape()
    if (reaches(samples.get(name) ?? 0)) return samples
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

async function publish(topic: string, data: unknown): Promise<string> {
  const body = JSON.stringify({ topic, data })
  const answer = await ask(`${server.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const { ids } = JSON.parse(answer.body) as { ids: [string] }
  return ids[0]
}

function open(path: string, version = '1.1', headers = ''): Socket {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`)
  return socket
}

describe('the metrics of a hub', () => {
  test('are those that docs/metrics.md lists, with the kinds and labels that it says', async () => {
    const { body } = await ask(`${server.url}/metrics`)
    const kinds = [...body.matchAll(/^# TYPE (millrace_\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`)
    const document = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')
    const rows = [...document.matchAll(/^\| `(millrace_\w+)` \| (\w+) \|/gm)].map(([, name, kind]) => `${name} ${kind}`)
    expect(rows.toSorted()).toEqual(kinds.toSorted())
    expect(rows.length).toBeGreaterThan(20)
  })

  test('have a series for each value of a label from the start, and docs/metrics.md has all of them', async () => {
    const own = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
    onTestFinished(() => own.close({ drainMs: 0 }))
    const samples = parseSamples((await ask(`${own.url}/metrics`)).body)
    const document = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')
    const counters = [...document.matchAll(/^\| `(\w+)` \| counter \| `(\w+)` \| (.*) \|$/gm)]
    expect(counters.length).toBeGreaterThan(7)
    for (const [, name, label, meaning = ''] of counters) {
      const series = [...samples].filter(([each]) => each.startsWith(`${name}{`))
      expect({ name, count: series.length > 1 }).toEqual({ name, count: true })
      for (const [each, value] of series) {
        const [, said] = new RegExp(`\\{${label}="([^"]+)"\\}$`).exec(each) ?? []
        expect({ each, value }).toEqual({ each, value: 0 })
        expect(meaning).toContain(`\`${said}\``)
      }
    }
  })

  test('count a stream that opens, is served and leaves', async () => {
    const before = await scrape()
    const old = open('/events?topic=a', '1.0')
    const socket = open('/events?topic=a')
    socket.resume()
    old.resume()
    await until('millrace_connections{state="live",protocol="http/1.1"}', (value) => value === 1)
    await publish('a', 'x'.repeat(100))
    const during = await until('millrace_events_delivered_total', (value) => value === 2)
    const rise = (name: string): number => (during.get(name) ?? 0) - (before.get(name) ?? 0)
    expect(during.get('millrace_connections{state="live",protocol="http/1.0"}')).toBe(1)
    expect(rise('millrace_connections_opened_total{protocol="http/1.1"}')).toBe(1)
    expect(rise('millrace_connections_opened_total{protocol="http/1.0"}')).toBe(1)
    expect(rise('millrace_events_published_total')).toBe(1)
    expect(rise('millrace_published_bytes_total')).toBe(100)
    expect(rise('millrace_sent_bytes_total')).toBeGreaterThan(2 * 100)
    expect(rise('millrace_flush_seconds_count')).toBe(1)
    expect(rise('millrace_delivery_lag_seconds_count')).toBe(1)
    expect(rise('millrace_log_append_seconds_count')).toBe(1)
    expect(rise('millrace_log_append_events_sum')).toBe(1)
    expect(rise('millrace_hot_window_events')).toBe(1)
    expect(rise('millrace_hot_window_bytes')).toBeGreaterThan(100)
    expect(during.get('millrace_audiences')).toBe(1)
    expect(during.get('millrace_log_following')).toBe(1)
    expect(during.get('millrace_lag_seconds')).toBe(0)
    expect(during.get('millrace_pending_reads')).toBe(0)
    socket.destroy()
    old.destroy()
    const after = await until('millrace_connections_closed_total{reason="client"}', (value) => value === 2)
    expect(after.get('millrace_events_delivered_total')).toBe(2)
    expect(after.get('millrace_connections{state="live",protocol="http/1.1"}') ?? 0).toBe(0)
  })

  test('count resumptions by where they were served from, and gaps by their reason', async () => {
    const id = await publish('b', 1)
    await publish('b', 2)
    const before = await scrape()
    const resumed = open('/events?topic=b', '1.1', `Last-Event-ID: ${id}\r\n`)
    resumed.resume()
    const after = await until('millrace_replays_total{why="start"}', (value) => value === 1)
    expect(after.get('millrace_hot_window_total{result="hit"}')).toBe(1)
    expect(
      (after.get('millrace_replayed_events_total') ?? 0) - (before.get('millrace_replayed_events_total') ?? 0),
    ).toBe(1)
    expect(after.get('millrace_replay_seconds_count')).toBe(1)
    const lost = open('/events?topic=b', '1.1', 'Last-Event-ID: nobody\r\n')
    lost.resume()
    await until('millrace_gaps_total{reason="unknown_id"}', (value) => value === 1)
    const told = await until('millrace_hot_window_total{result="miss"}', (value) => value === 1)
    expect(told.get('millrace_replays_total{why="start"}')).toBe(2)
    for (const socket of [resumed, lost]) socket.destroy()
  })

  test('count streams that were ended by hand, and those that do not keep up', async () => {
    const slow = open('/events?topic=c')
    slow.pause()
    await until('millrace_connections{state="live",protocol="http/1.1"}', (value) => value === 1)
    const [subscriber] = server.hub.subscribers()
    for (let i = 0; i < 2_000 && subscriber?.state.name === 'live'; i++) await publish('c', 'x'.repeat(60_000))
    const behind = await scrape()
    expect(behind.get('millrace_slow_total{cause="bytes"}')).toBe(1)
    expect(behind.get('millrace_connections{state="catching-up",protocol="http/1.1"}')).toBe(1)
    expect(server.hub.endConnection(subscriber?.connection ?? '')).toBe(true)
    slow.resume()
    await until('millrace_connections_closed_total{reason="kicked"}', (value) => value === 1)
  })
})
