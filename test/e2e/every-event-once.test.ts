import { DeliveryChecker, SeededRandom } from '@millrace/conformance'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CheckedReader } from './support/checked-reader.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'

const CLIENT_COUNT = 48
const PUBLISHER_COUNT = 8
const KILL_COUNT = 5
/** Events that every publisher has answered before it is done. */
const EVENTS_PER_PUBLISHER = 200
const TOPICS = ['orders.eu.new', 'orders.eu.paid', 'orders.us.new', 'news', 'news.sport', 'prices.a', 'prices.b']
const SELECTORS = ['orders.>', 'orders.eu.*', 'orders.*.new', 'news', 'news.*', 'prices.a', 'prices.*', '*', '>']
/** How long it waits before it publishes again what was not answered. Milliseconds. */
const RETRY_MS = 20
const TIMEOUT_MS = 60_000

interface Tally {
  /** Events answered, repetitions counted once. */
  answered: number
  /** Requests that were sent again because they had no answer. */
  retries: number
  /** Statuses of answers that were none. */
  readonly refusals: number[]
}

/** Resolves when the condition holds, which is looked at again and again. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function start(file: string, port: number): Promise<HubProcess> {
  const hub = await startHubProcess(['--port', String(port), '--log', `sqlite:${file}`])
  onTestFinished(() => hub.stop())
  return hub
}

/** One event or several, each with a number of its own that is also its dedupeKey. */
function draw(
  random: SeededRandom,
  publisher: number,
  next: number,
): { topic: string; data: string; dedupeKey: string }[] {
  const count = random.integer(1, 5) === 1 ? random.integer(2, 4) : 1
  return Array.from({ length: count }, (_, i) => {
    const name = `${publisher}/${next + i}`
    return { topic: random.pick(TOPICS), data: name, dedupeKey: name }
  })
}

/** Publishes until all is answered; what is not answered is sent again as it was. */
async function publishAll(url: string, publisher: number, checker: DeliveryChecker, tally: Tally): Promise<void> {
  const random = new SeededRandom(1_000 + publisher)
  for (let next = 0; next < EVENTS_PER_PUBLISHER;) {
    const events = draw(random, publisher, next)
    const ids = await publish(url, events, tally)
    for (const [i, { topic, data }] of events.entries()) checker.acknowledge({ id: ids[i] ?? '', topic, data })
    tally.answered += events.length
    next += events.length
  }
}

async function publish(url: string, events: readonly object[], tally: Tally): Promise<readonly string[]> {
  for (;;) {
    try {
      const response = await fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(events),
      })
      if (response.ok) return ((await response.json()) as { ids: string[] }).ids
      tally.refusals.push(response.status)
    } catch {
      // The hub is gone, or went before it answered: whether the events are stored is not known.
    }
    tally.retries++
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

test(
  'every acknowledged event comes exactly once, in order, to each of 48 clients, while the hub is killed five times',
  { timeout: TIMEOUT_MS },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'hub.db')
    let hub = await start(file, 0)
    const { url, port } = hub
    const random = new SeededRandom(20_261_125)
    const checker = new DeliveryChecker({ identityOf: ({ data }) => data })
    const readers: CheckedReader[] = []
    for (let i = 1; i <= CLIENT_COUNT; i++) {
      const topics = [...new Set([random.pick(SELECTORS), random.pick(SELECTORS), random.pick(TOPICS), 'done'])]
      const query = new URLSearchParams({ topic: topics.join(',') })
      const reader = new CheckedReader(`${url}/events?${query.toString()}`, new SeededRandom(i))
      onTestFinished(() => reader.close())
      readers.push(reader)
      await until(() => reader.lastEventId !== '')
      reader.record = checker.client({ name: `client ${i}`, topics, after: reader.lastEventId })
    }

    const tally: Tally = { answered: 0, retries: 0, refusals: [] }
    const total = PUBLISHER_COUNT * EVENTS_PER_PUBLISHER
    const publishing = Promise.all(
      Array.from({ length: PUBLISHER_COUNT }, (_, i) => publishAll(url, i, checker, tally)),
    )
    for (let kill = 1; kill <= KILL_COUNT; kill++) {
      await until(() => tally.answered >= (total * kill) / (KILL_COUNT + 1))
      hub.child.kill('SIGKILL')
      await hub.stop()
      hub = await start(file, port)
    }
    await publishing
    const [done = ''] = await publish(url, [{ topic: 'done', data: 'done' }], tally)
    checker.acknowledge({ id: done, topic: 'done', data: 'done' })
    await until(() => readers.every(({ isDone }) => isDone))

    expect(checker.faults().map(({ sentence }) => sentence)).toEqual([])
    expect(readers.flatMap(({ controls }) => controls)).not.toContain('stream:sync-required')
    expect(checker.acknowledgedCount).toBeGreaterThan(total)
    expect(checker.receivedCount).toBeGreaterThan(10 * total)
    expect(tally.refusals.filter((status) => status !== 429 && status !== 503)).toEqual([])
    expect(tally.retries).toBeGreaterThanOrEqual(KILL_COUNT)
    expect(readers.every(({ cutCount }) => cutCount >= KILL_COUNT)).toBe(true)
  },
)
