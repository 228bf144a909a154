/**
 * The native `EventSource` of real browsers, through a proxy that cuts: nothing is lost, doubled or out of order, and
 * what cannot be had any more is told.
 */
import { defaultHubSettings, startHubServer } from '@millrace/hub'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { launchBrowser, type TestBrowser } from './support/browser.ts'
import {
  connectedIdOf,
  FAST,
  HEARD,
  isEvent,
  isNotice,
  isType,
  listening,
  positionMoved,
  publishUntil,
  record,
  setUp,
} from './support/browser-stage.ts'
import { CUT_PLACES, MANY_BYTES } from './support/cut-rules.ts'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { LogThatLeaves } from './support/log-that-leaves.ts'
import { countsOf, RECORDER_PAGE, type Note } from './support/recorder-page.ts'
import { firstNotice, resume, SMALL } from './support/resume-client.ts'
import { json } from './support/stream-reader.ts'
import { numbers, startTestHub } from './support/test-hub.ts'

const CLOSED = 2

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(!browserAvailable(name))(`the EventSource of ${name}`, () => {
    suite(name)
  })
}

function suite(name: BrowserName): void {
  let browser: TestBrowser

  beforeAll(async () => {
    browser = await launchBrowser(name)
  })
  afterAll(() => browser?.close())

  test('receives what is published, as it was published', async () => {
    const { hub, recorder } = await setUp(browser)
    await listening(hub, recorder, '/events?topic=a.*')
    const { ids } = await hub.hub.publish([
      { topic: 'a.x', data: { n: 1 } },
      { topic: 'b.x', data: { n: 2 } },
      { topic: 'a.y', type: 'tick', data: `{"n":3,\n"text":"${MANY_BYTES}"}` },
    ])
    const notes = await recorder.until('three', (all) => countsOf(all).includes(3))
    expect(notes.filter(isEvent)).toMatchObject([
      { type: 'message', id: ids[0], data: '{"n":1}' },
      { type: 'tick', id: ids[2], data: `{"n":3,\n"text":"${MANY_BYTES}"}` },
    ])
  })

  test('[MR-RES-16] is cut at every kind of place, and has every event once and in order', async () => {
    const { hub, proxy, recorder } = await setUp(browser)
    await listening(hub, recorder, '/events')
    proxy.cutNow()
    for (const [i, [, rule]] of CUT_PLACES.entries()) proxy.cutNext(rule, i % 2 === 0 ? 'fin' : 'rst')
    const count = await publishUntil(hub, () => proxy.pendingCuts === 0)
    const notes = await recorder.until(`event ${count}`, (all) => countsOf(all).includes(count), 30_000)
    expect(countsOf(notes)).toEqual(numbers(1, count))
    expect(notes.filter(isNotice)).toEqual([])
    expect(proxy.passages.length).toBeGreaterThan(CUT_PLACES.length)
  })

  test('[MR-CTL-3] is cut before its first event and resumes from the id of stream:connected', async () => {
    const { hub, proxy, recorder } = await setUp(browser)
    await hub.publish('a', [-1, 0])
    await listening(hub, recorder, '/events')
    proxy.hold()
    proxy.cutNow('rst')
    await hub.publish('a', [1, 2, 3])
    proxy.release()
    expect(countsOf(await recorder.until('three', (all) => countsOf(all).includes(3)))).toEqual([1, 2, 3])
    expect(proxy.passages[0]?.headers.has('last-event-id')).toBe(false)
    expect(proxy.passages[1]?.headers.get('last-event-id')).toMatch(/-2-/)
  })

  test('[MR-RES-11] on a quiet topic beside a busy one gets no false alarm after a cut', async () => {
    // So few topics are remembered that a topic nobody published to counts as forgotten: only a moved id saves it.
    const { hub, proxy, recorder } = await setUp(browser, {
      ...FAST,
      ...SMALL,
      memory: { ...SMALL.memory, maxTopics: 2 },
    })
    await listening(hub, recorder, '/events?topic=quiet')
    const connectedId = connectedIdOf(proxy)
    for (const topic of ['busy.a', 'busy.b', 'busy.c', 'busy.d']) await hub.publish(topic, numbers(1, 50))
    await positionMoved(hub, proxy)
    proxy.hold()
    proxy.cutNow()
    await hub.publish('quiet', [1])
    await hub.publish('quiet', [2])
    proxy.release()
    const notes = await recorder.until('two', (all) => countsOf(all).includes(2))
    expect(notes.filter(isNotice)).toEqual([])
    expect(countsOf(notes)).toEqual([1, 2])
    // The id that it began with would not have done.
    expect(json(await firstNotice(await resume(`${hub.url}?topic=quiet`, connectedId)))).toMatchObject({
      reason: 'too_old',
    })
  })

  test('[MR-RES-12] with a type filter on a busy topic gets no false alarm after a cut', async () => {
    const { hub, proxy, recorder } = await setUp(browser, { ...FAST, ...SMALL })
    const query = '?topic=busy.a&type=tick'
    await listening(hub, recorder, `/events${query}`)
    const connectedId = connectedIdOf(proxy)
    await hub.publish('busy.a', numbers(1, 100), 'other')
    await positionMoved(hub, proxy)
    proxy.hold()
    proxy.cutNow()
    await hub.publish('busy.a', numbers(101, 105), 'other')
    await hub.publish('busy.a', [106], 'tick')
    proxy.release()
    const notes = await recorder.until('106', (all) => countsOf(all).includes(106))
    expect(notes.filter(isNotice)).toEqual([])
    expect(json(await firstNotice(await resume(hub.url + query, connectedId)))).toMatchObject({ reason: 'too_old' })
  })

  test('[MR-CTL-6] is told of a real gap before anything newer, and only once', async () => {
    const { hub, proxy, recorder } = await setUp(browser, { ...FAST, ...SMALL })
    await listening(hub, recorder, '/events?topic=busy.a&from=earliest')
    const ids = await hub.publish('busy.a', [1, 2])
    await recorder.until('two', (all) => countsOf(all).includes(2))
    proxy.hold()
    proxy.cutNow()
    await hub.publish('busy.a', numbers(3, 60))
    proxy.release()
    await recorder.until('sixty', (all) => countsOf(all).includes(60))
    proxy.cutNow()
    await hub.publish('busy.a', [61])
    const notes = await recorder.until('61', (all) => countsOf(all).includes(61))
    expect(countsOf(notes)).toEqual([1, 2, ...numbers(51, 61)])
    expect(notes.filter(isNotice)).toHaveLength(1)
    const events = notes.filter(isEvent)
    expect(events.findIndex(isNotice)).toBe(2)
    expect(JSON.parse(events[2]?.data ?? '')).toMatchObject({ reason: 'too_old', from: ids[1] })
  })

  test('[MR-RES-4] finds another hub after a restart: epoch_changed', async () => {
    const { hub, proxy, recorder } = await setUp(browser)
    await listening(hub, recorder, '/events')
    const [id] = await hub.publish('a', [1])
    await recorder.until('one', (all) => countsOf(all).includes(1))
    proxy.hold()
    await hub.crash()
    const next = await startTestHub(FAST)
    await next.publish('a', [2])
    proxy.retarget(next.port)
    proxy.release()
    const notes = await recorder.until('the notice', (all) => all.some(isNotice))
    expect(JSON.parse(notes.find(isNotice)?.data ?? '')).toMatchObject({ reason: 'epoch_changed', from: id })
    await next.publish('a', [3])
    await recorder.until('three', (all) => countsOf(all).includes(3))
    expect(countsOf(await recorder.notes())).toEqual([1, 3])
  })

  test('[MR-HTTP-7] comes back by itself from a refusal that passes, and has missed nothing', async () => {
    const log = new LogThatLeaves()
    const { hub, proxy, recorder } = await setUp(browser, {
      ...FAST,
      hotWindowCount: 1,
      wrapLog: (real) => log.before(real),
    })
    await listening(hub, recorder, '/events', [...HEARD, 'stream:reconnect'])
    await hub.publish('a', [1])
    await recorder.until('one', (all) => countsOf(all).includes(1))
    proxy.hold()
    proxy.cutNow()
    await hub.publish('a', numbers(2, 30))
    log.isAway = true
    proxy.release()
    const refusals = (all: readonly Note[]): Note[] => all.filter((note) => isType(note, 'stream:reconnect'))
    await recorder.until('two refusals', (all) => refusals(all).length >= 2)
    log.isAway = false
    const notes = await recorder.until('thirty', (all) => countsOf(all).includes(30))
    expect(countsOf(notes)).toEqual(numbers(1, 30))
    expect(refusals(notes)[0]).toMatchObject({ data: '{"reason":"log_unavailable"}' })
    expect(notes.filter(isNotice)).toEqual([])
  })

  test('[MR-HTTP-8] is stopped for good by 204', async () => {
    let isWelcome = true
    const { hub, proxy, recorder } = await setUp(browser, {
      ...FAST,
      authorize: () => (isWelcome ? { subscribe: ['>'] } : { status: 204 }),
    })
    await listening(hub, recorder, '/events')
    isWelcome = false
    proxy.cutNow()
    const notes = await recorder.until('the end', (all) =>
      all.some((note) => note.kind === 'error' && note.readyState === CLOSED),
    )
    expect(notes.filter(({ kind }) => kind === 'open')).toHaveLength(1)
    const passages = proxy.passages.length
    isWelcome = true
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(proxy.passages).toHaveLength(passages)
    expect(await recorder.readyState()).toBe(CLOSED)
  })

  test('[MR-CTL-8] hears a farewell, and comes back after the announced time to a new hub on the same port', async () => {
    const { hub, proxy, recorder } = await setUp(browser)
    await listening(hub, recorder, '/events', [...HEARD, 'stream:shutdown'])
    await hub.publish('a', [1])
    await recorder.until('one', (all) => countsOf(all).includes(1))
    await hub.close()
    const next = await startTestHub({ ...FAST, port: hub.port })
    await recorder.until('the farewell', (all) => all.some((note) => isType(note, 'stream:shutdown')))
    const notes = await recorder.until('the new hub', (all) => all.filter(({ kind }) => kind === 'open').length === 2)
    await next.publish('a', [2])
    await recorder.until('two', (all) => countsOf(all).includes(2))
    const announced = Number(/retry: (\d+)\n\nevent: stream:shutdown/.exec(String(proxy.passages[0]?.response))?.[1])
    expect(announced).toBeGreaterThanOrEqual(1_000)
    expect(proxy.passages).toHaveLength(2)
    const farewell = notes.find((note) => isType(note, 'stream:shutdown'))
    const back = notes.filter(({ kind }) => kind === 'open')[1]
    expect((back?.atMs ?? 0) - (farewell?.atMs ?? 0)).toBeGreaterThanOrEqual(announced - 50)
  })

  test('is served by the hub itself: cut in the middle, back by its default retry', async () => {
    const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
    onTestFinished(() => server.close({ drainMs: 0 }))
    const proxy = await startCuttingProxy({ port: Number(new URL(server.url).port), pages: { '/': RECORDER_PAGE } })
    const recorder = await record(browser, proxy)
    const post = async (n: number): Promise<void> => {
      const body = JSON.stringify({ topic: 'a', data: { n } })
      const response = await fetch(`${server.url}/events`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      })
      expect(response.status).toBe(200)
    }
    await recorder.listen('/events', HEARD)
    await recorder.until('the stream', (all) => all.length > 0)
    await post(1)
    await recorder.until('one', (all) => countsOf(all).includes(1))
    proxy.cutNow('rst')
    for (const n of numbers(2, 20)) await post(n)
    const notes = await recorder.until('twenty', (all) => countsOf(all).includes(20))
    expect(countsOf(notes)).toEqual(numbers(1, 20))
    expect(notes.filter(isNotice)).toEqual([])
  })
}
