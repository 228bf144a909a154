import { connect } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import type { StatsReport } from '../src/http/admin-stats.ts'
import type { TopicReports } from '../src/http/admin-topics.ts'
import { startHubServer, type HubServer } from '../src/http/hub-server.ts'
import { ask } from './support/hub-request.ts'

let server: HubServer

beforeAll(async () => {
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
})
afterAll(() => server.close({ drainMs: 0 }))

async function read<T>(path: string): Promise<T> {
  const { status, body } = await ask(server.url + path)
  expect(status).toBe(200)
  return JSON.parse(body) as T
}

test('the statistics and the topics tell of what was published and who listens', async () => {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined).resume()
  socket.write('GET /events?topic=a.*,b HTTP/1.1\r\nHost: localhost\r\n\r\n')
  while (server.hub.stats().live < 1) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  const { ids } = await server.hub.publish([
    { topic: 'a.1', data: 'four' },
    { topic: 'c', data: 'four' },
    { topic: 'a.1', data: 'more' },
  ])
  const stats = await read<StatsReport>('/admin/stats')
  expect(stats).toMatchObject({
    connections: { total: 1, active: 1, byState: { live: 1, 'catching-up': 0, closing: 0 }, endedBy: {} },
    events: { published: 3 },
    bytes: { published: 12 },
    errors: { publishFailures: 0, gaps: 0, slow: 0, refused: 0 },
    log: { isFollowing: true, hotWindowEvents: 3, pendingReads: 0 },
  })
  expect(stats.memory.rssBytes).toBeGreaterThan(stats.memory.heapUsedBytes)
  expect(await read<TopicReports>('/admin/topics')).toMatchObject({
    topics: [
      { topic: 'a.1', kind: 'log', position: ids[2], state: 'open', reason: null, subscribers: 1, events: 2, bytes: 8 },
      { topic: 'c', kind: 'log', position: ids[1], subscribers: 0, lag: 0, events: 1, bytes: 4 },
    ],
    more: false,
    partial: false,
  })
  expect(await read<TopicReports>('/admin/topics?match=a.*')).toMatchObject({ topics: [{ topic: 'a.1' }] })
  expect(await read<TopicReports>('/admin/topics?limit=1')).toMatchObject({ topics: [{ topic: 'a.1' }], more: true })
  socket.destroy()
  while (server.hub.size > 0) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  expect(await read<StatsReport>('/admin/stats')).toMatchObject({
    connections: { total: 1, active: 0, endedBy: { client: 1 } },
    events: { delivered: 2 },
  })
})

test('a hub that starts again on its file is ready with what was published last at hand', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'events.db')
  onTestFinished(() => rm(dirname(file), { recursive: true }))
  const settings = { ...defaultHubSettings, log: `sqlite:${file}`, port: 0 } as const
  const first = await startHubServer(settings)
  for (let i = 0; i < 5; i++) await first.hub.publish({ topic: 'a', data: i })
  await first.close({ drainMs: 0 })
  const second = await startHubServer(settings)
  onTestFinished(() => second.close({ drainMs: 0 }))
  expect((await ask(`${second.url}/health/ready`)).status).toBe(200)
  const stats = JSON.parse((await ask(`${second.url}/admin/stats`)).body) as StatsReport
  expect(stats.log.hotWindowEvents).toBe(4)
})

test('a topic that is finished says why, and how far behind its slowest stream is', async () => {
  const { ids } = await server.hub.publish([
    { topic: 'race.1', data: 1 },
    { topic: 'race.1', data: 2, end: true },
  ])
  const late = { connection: 'c', request: { selectors: ['race.*'] }, lag: 7 }
  const others = [...server.hub.subscribers(), { ...late, lag: 3 }, late, { ...late, request: { selectors: ['x'] } }]
  const subscribers = vi.spyOn(server.hub, 'subscribers').mockReturnValue(others as never)
  const report = await read<TopicReports>('/admin/topics?match=race.1')
  subscribers.mockRestore()
  expect(report.topics).toMatchObject([
    { topic: 'race.1', position: ids[1], state: 'finished', reason: 'end', subscribers: 2, lag: 7 },
  ])
})

test.each([
  ['/admin/topics?limit=0', 'limit is "0"'],
  ['/admin/topics?limit=1001', 'limit is "1001"'],
  ['/admin/topics?match=a..b', 'match: "a..b" is not a topic or pattern'],
  ['/admin/topics?match=a&match=b', 'match may be given once'],
])('%s is refused: %s', async (path, words) => {
  const { status, body } = await ask(server.url + path)
  expect(status).toBe(400)
  expect((JSON.parse(body) as { detail: string }).detail).toContain(words)
})

test('a log that cannot be read is no fault of the hub: the topics are answered 503, with what ails it', async () => {
  const faults: unknown[] = []
  const settings = { ...defaultHubSettings, log: 'memory:', port: 0 } as const
  const own = await startHubServer(settings, { onError: (error) => faults.push(error) })
  onTestFinished(() => own.close({ drainMs: 0 }))
  await own.hub.close({ drainMs: 0 })
  const { status, headers, body } = await ask(`${own.url}/admin/topics`)
  expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '1' })
  expect(JSON.parse(body)).toMatchObject({ detail: expect.stringMatching(/^The event log cannot be read\. .*closed/) })
  expect(faults).toEqual([])
})
