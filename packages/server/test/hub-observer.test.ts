import { createHub, LogError, memory, type HubObserver, type Subscriber } from '@millrace/server'
import { expect, test } from 'vitest'
import { FakeTransport } from './support/fake-transport.ts'
import { startScene, type Scene } from './support/hub-scene.ts'

/** Writes down what it is told, without times. */
class Notes implements HubObserver {
  readonly lines: string[] = []
  onOpened(): void {
    this.lines.push('opened')
  }
  onRefused(reason: string): void {
    this.lines.push(`refused ${reason}`)
  }
  onSlow(_: Subscriber, cause: string): void {
    this.lines.push(`slow ${cause}`)
  }
  onCaughtUp(_: Subscriber, { why, replayed, source }: { why: string; replayed: number; source: string }): void {
    this.lines.push(`caught up ${why} ${replayed} ${source}`)
  }
  onGap(_: Subscriber, reason: string): void {
    this.lines.push(`gap ${reason}`)
  }
  onClosed({ state, events }: Subscriber): void {
    this.lines.push(`closed ${'reason' in state ? state.reason : ''} ${events}`)
  }
  onPass({ events }: { events: number }): void {
    this.lines.push(`pass ${events}`)
  }
  onAppended(events: readonly unknown[]): void {
    this.lines.push(`appended ${events.length}`)
  }
  onAppendFailed(events: readonly unknown[], code: string): void {
    this.lines.push(`not appended ${events.length} ${code}`)
  }
  take(): string[] {
    return this.lines.splice(0)
  }
}

async function watched(limits: Parameters<typeof startScene>[0] = {}): Promise<Scene & { notes: Notes }> {
  const notes = new Notes()
  const scene = await startScene(limits, [{ match: 'short', retention: { maxCount: 1 } }], { observer: notes })
  return { ...scene, notes }
}

test('an observer is told of a stream that opens, is served, and leaves', async () => {
  const { notes, open, publish, hub } = await watched()
  const { transport } = await open('a')
  await publish('a', 1, 2)
  expect(notes.take()).toEqual(['opened', 'appended 2', 'pass 2'])
  transport.end()
  transport.settle()
  expect(notes.take()).toEqual(['closed client 2'])
  await hub.close({ drainMs: 0 })
  await hub.admit({ selectors: [], types: [], from: 'now', lastEventId: undefined, nameBy: 'type', envelope: false })
  expect(notes.take()).toEqual(['refused draining'])
})

test('an observer is told how a resumption ended, and whether the hot window was enough for it', async () => {
  const { notes, open, publish } = await watched({ hotWindowCount: 1 })
  const [first = ''] = await publish('a', 1, 2, 3)
  const [near = ''] = await publish('a', 4)
  await publish('a', 5)
  notes.take()
  await open('a', { lastEventId: near })
  expect(notes.take()).toEqual(['opened', 'caught up start 1 window'])
  await open('a', { lastEventId: first })
  expect(notes.take()).toEqual(['opened', 'caught up start 4 log'])
})

test('an observer is told of gaps, each by its reason', async () => {
  const { notes, open, publish } = await watched()
  const [old = ''] = await publish('short', 1)
  await publish('short', 2)
  await publish('short', 3)
  notes.take()
  await open('short', { lastEventId: old })
  await open('short', { lastEventId: 'nonsense' })
  expect(notes.take()).toEqual([
    'opened',
    'gap too_old',
    'caught up start 0 log',
    'opened',
    'gap unknown_id',
    'caught up start 0 log',
  ])
})

test('an observer is told of a subscriber that falls behind, why, and that it is live again', async () => {
  const { notes, open, publish, settle } = await watched({ maxBufferBytes: 1_024, maxUnsentMs: 2_000 })
  const stalled = new FakeTransport()
  await open('a', {}, stalled)
  stalled.isStalled = true
  notes.take()
  await publish('a', 'x'.repeat(2_000))
  expect(notes.take()).toEqual(['appended 1', 'slow bytes', 'pass 1'])
  stalled.drain()
  await settle()
  expect(notes.take()).toEqual(['caught up slow 0 window'])
  stalled.isStalled = true
  await publish('a', 'y')
  await settle(4_500)
  expect(notes.take()).toEqual(['appended 1', 'pass 1', 'slow age'])
})

test('an observer is told of what was stored, not of what repeats it', async () => {
  const { notes, hub, settle } = await watched()
  const publish = (...keys: string[]): Promise<unknown> =>
    hub.publish(keys.map((dedupeKey) => ({ topic: 'a', data: 1, dedupeKey })))
  await publish('1')
  await publish('1')
  await Promise.all([publish('2'), publish('2', '3'), publish('1', '2', '3')])
  await hub.publish({ topic: 'a', data: 1 })
  await publish('4', '4', '1', '5', '4')
  expect(notes.take().filter((line) => line.startsWith('appended'))).toEqual([
    'appended 1',
    'appended 1',
    'appended 1',
    'appended 1',
    'appended 2',
  ])
  await settle()
  await publish('5', '3')
  expect(notes.take().filter((line) => line.startsWith('appended'))).toEqual([])
})

test('an observer is not told of what another hub on the same log has stored', async () => {
  const notes = new Notes()
  const backend = memory()
  const [one, other] = [createHub({ backend }), createHub({ backend, observer: notes })]
  await Promise.all([one.ready(), other.ready()])
  const event = { topic: 'a', data: 1, dedupeKey: 'k' }
  const heard = other.subscribe({ topics: ['a'] })[Symbol.asyncIterator]()
  const next = heard.next()
  await one.publish(event)
  await next
  await other.publish(event)
  expect(notes.take().filter((line) => line.startsWith('appended'))).toEqual([])
  await heard.return(undefined)
  await Promise.all([one, other].map((hub) => hub.close({ drainMs: 0 })))
})

test('an observer is told of events that could not be stored, and why', async () => {
  const notes = new Notes()
  const backend = memory()
  const hub = createHub({ backend, observer: notes })
  await hub.ready()
  backend.log.append = () => Promise.reject(new LogError('unavailable', 'The disk is full.'))
  await expect(hub.publish({ topic: 'a', data: 1 })).rejects.toMatchObject({ code: 'unavailable' })
  backend.log.append = () => Promise.reject(new Error('nobody expects this'))
  await expect(hub.publish([1, 2].map((data) => ({ topic: 'a', data })))).rejects.toThrow('nobody expects this')
  expect(notes.take()).toEqual(['not appended 1 unavailable', 'not appended 2 fault'])
  await hub.close({ drainMs: 0 })
})
