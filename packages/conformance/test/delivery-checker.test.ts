import { expect, test } from 'vitest'
import { DeliveryChecker, type DeliveryRecord, type SeenEvent } from '../src/index.ts'

const EPOCH = 'k3f9z2'
const START = `${EPOCH}-0-aaa`

function seen(seq: number, topic: string = 'news', data: string = `number ${seq}`): SeenEvent {
  return { id: `${EPOCH}-${seq}-abc`, topic, data }
}

/** Five events on `news` and `sport`, which `reader` of both and `fan` of one received as they should. */
function soundHistory(): { checker: DeliveryChecker; events: SeenEvent[] } {
  const checker = new DeliveryChecker({ identityOf: ({ data }) => data })
  const events = [1, 2, 3, 4, 5].map((seq) => seen(seq, seq % 2 === 0 ? 'sport' : 'news'))
  for (const event of events) checker.acknowledge(event)
  return { checker, events }
}

function addClient(checker: DeliveryChecker, name: string, topics: readonly string[], after = START): DeliveryRecord {
  return checker.client({ name, topics, after })
}

function receive(record: DeliveryRecord, events: readonly (SeenEvent | undefined)[]): void {
  for (const event of events) if (event) record.onEvent(event)
}

/** What is wrong when a reader of everything received this of the five events. */
function faultsOf(received: (events: readonly SeenEvent[]) => readonly (SeenEvent | undefined)[]): string[] {
  const { checker, events } = soundHistory()
  receive(addClient(checker, 'reader', ['>']), received(events))
  return checker.faults().map(({ kind, sentence }) => `${kind}: ${sentence}`)
}

test('a history in which everybody has everything has no fault', () => {
  const { checker, events } = soundHistory()
  receive(addClient(checker, 'reader', ['>']), events)
  receive(addClient(checker, 'fan', ['sport', 'nothing.*']), [events[1], events[3]])
  receive(addClient(checker, 'late', ['*'], events[2]?.id), [events[3], events[4]])
  expect(checker.faults()).toEqual([])
  expect([checker.acknowledgedCount, checker.receivedCount]).toEqual([5, 9])
})

test('an acknowledged event that a client lacks is found', () => {
  expect(faultsOf((events) => events.toSpliced(2, 1))).toEqual([
    'missing: reader (>) lacks k3f9z2-3-abc on news ("number 3"), which was acknowledged.',
  ])
  expect(faultsOf((events) => events.slice(0, 4))).toEqual([expect.stringMatching(/^missing: .* lacks k3f9z2-5-abc/)])
  expect(faultsOf(() => [])).toHaveLength(5)
})

test('an event that was never acknowledged, but that another client has, is owed to all', () => {
  const { checker, events } = soundHistory()
  receive(addClient(checker, 'reader', ['>']), [...events, seen(6)])
  receive(addClient(checker, 'other', ['>']), events)
  expect(checker.faults()).toEqual([
    { kind: 'missing', sentence: 'other (>) lacks k3f9z2-6-abc on news ("number 6"), which others have.' },
  ])
})

test('an event that came twice is found', () => {
  expect(faultsOf((events) => [...events, events[4]])).toEqual([
    'doubled: reader (>) got k3f9z2-5-abc on news ("number 5") more than once.',
  ])
  expect(faultsOf((events) => [events[0], ...events])).toEqual([expect.stringMatching(/^doubled: .* got k3f9z2-1-abc/)])
})

test('events in the wrong order are found', () => {
  expect(faultsOf(([a, b, c, d, e]) => [a, c, b, d, e])).toEqual([
    'out_of_order: reader (>) got k3f9z2-2-abc on sport ("number 2") after seq 3.',
  ])
})

test('an event that the client has not asked for, or that came before its start, is found', () => {
  const { checker, events } = soundHistory()
  receive(addClient(checker, 'fan', ['sport']), [events[1], events[2], events[3]])
  receive(addClient(checker, 'late', ['>'], events[3]?.id), [events[2], events[4]])
  expect(checker.faults()).toEqual([
    { kind: 'unwanted', sentence: 'fan (sport) got k3f9z2-3-abc on news ("number 3"), which it has not asked for.' },
    {
      kind: 'unwanted',
      sentence: `late (>) got k3f9z2-3-abc on news ("number 3"), which came before its start (k3f9z2-4-abc).`,
    },
  ])
})

test('an event that is not the same for all, or has no id, is found', () => {
  expect(faultsOf((events) => events.with(1, seen(2, 'sport', 'something else')))).toEqual([
    'changed: reader (>) has k3f9z2-2-abc on sport ("something else"), which elsewhere is k3f9z2-2-abc on sport ("number 2").',
  ])
  expect(faultsOf((events) => [...events, { ...seen(6), id: '' }])).toEqual([
    'changed: reader (>) has  on news ("number 6"), whose id is not an event id.',
  ])
})

test('one publication that has two ids is found, even when only one of them was acknowledged', () => {
  expect(faultsOf((events) => [...events, seen(6, 'news', 'number 5')])).toEqual([
    'stored_twice: number 5 is stored twice: as k3f9z2-5-abc and as k3f9z2-6-abc.',
  ])
})

test('a repetition that is answered with the first id is no fault', () => {
  const { checker, events } = soundHistory()
  checker.acknowledge(seen(3))
  receive(addClient(checker, 'reader', ['>']), events)
  expect(checker.faults()).toEqual([])
  expect(checker.acknowledgedCount).toBe(5)
})

test('what a gap was told for is not missing, and what lies outside of it is', () => {
  const { checker, events } = soundHistory()
  const record = addClient(checker, 'reader', ['>'])
  receive(record, [events[0]])
  record.onGap(seen(3).id)
  receive(record, [events[4]])
  expect(checker.faults().map(({ sentence }) => sentence)).toEqual([
    'reader (>) lacks k3f9z2-4-abc on sport ("number 4"), which was acknowledged.',
  ])
})

test('a gap that was told too late does not excuse what came before it', () => {
  const { checker, events } = soundHistory()
  const record = addClient(checker, 'reader', ['>'])
  receive(record, [events[0], events[2]])
  record.onGap(seen(3).id)
  receive(record, [events[3], events[4]])
  expect(checker.faults().map(({ kind }) => kind)).toEqual(['missing'])
})

test('a new epoch that a gap was told for excuses what the old one still had, and nothing of its own', () => {
  const { checker, events } = soundHistory()
  const record = addClient(checker, 'reader', ['>'])
  receive(record, events.slice(0, 4))
  record.onGap('z9z9z9-5-aaa')
  receive(record, [{ id: 'z9z9z9-6-abc', topic: 'news', data: 'after' }])
  expect(checker.faults()).toEqual([])
  checker.acknowledge({ id: 'z9z9z9-7-abc', topic: 'news', data: 'later' })
  expect(checker.faults().map(({ sentence }) => sentence)).toEqual([
    'reader (>) lacks z9z9z9-7-abc on news ("later"), which was acknowledged.',
  ])
})
