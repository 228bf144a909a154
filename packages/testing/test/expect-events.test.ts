import {
  collectEvents,
  cut,
  expectEvents,
  ExpectationError,
  reply,
  send,
  silence,
  type ExpectedEvent,
  type StreamPart,
} from '@millrace/testing'
import { AssertionError } from 'node:assert'
import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { faultServer } from './support/fault-server.ts'

const STREAM = 'id: 1\ndata: one\n\nid: 2\nevent: tick\ntopic: a.b\ndata: {"n":2}\n\ndata: three\n\n'
const WHOLE: readonly ExpectedEvent[] = [
  { id: '1', type: 'message', data: 'one' },
  { id: '2', type: 'tick', data: { n: 2 } },
  { id: '2', data: 'three' },
]

async function* iterate<T>(...parts: readonly T[]): AsyncGenerator<T> {
  yield* parts
}

/** Iterates over these, and then waits for good. */
async function* iterateAndStay<T>(...parts: readonly T[]): AsyncGenerator<T> {
  yield* parts
  await new Promise(() => {})
}

/** What an expectation says that is not met. */
async function messageOf(parts: readonly StreamPart[], expected: readonly ExpectedEvent[]): Promise<string> {
  const error: unknown = await expectEvents(iterate(...parts), expected).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AssertionError)
  return (error as ExpectationError).message
}

/** As much of an `EventSource` as is listened to. */
class HandMadeSource extends EventTarget {
  readyState = 1
  emit(type: string, data: string, lastEventId: string): void {
    this.dispatchEvent(new MessageEvent(type, { data, lastEventId }))
  }
}

describe('events are read from', () => {
  test('a URL', async () => {
    const server = await faultServer({ scripts: [[send(STREAM), silence()]] })
    expect(await expectEvents(server.origin, WHOLE)).toMatchObject([{ id: '1' }, { topic: 'a.b' }, { data: 'three' }])
    expect(server.requests[0]?.headers.get('accept')).toBe('text/event-stream')
    // And it is let go.
    await server.until('the end', (requests) => requests[0]?.ending === 'left')
  })

  test('a Response, and the promise of one', async () => {
    const response = (): Response =>
      new Response(STREAM, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } })
    expect(await expectEvents(response(), WHOLE)).toHaveLength(3)
    expect(await expectEvents(Promise.resolve(response()), WHOLE)).toHaveLength(3)
  })

  test('a stream of bytes', async () => {
    expect(await expectEvents(new Blob([STREAM]).stream(), WHOLE)).toHaveLength(3)
  })

  test('bytes and text, cut anywhere', async () => {
    const bytes = Buffer.from(STREAM)
    expect(await expectEvents(iterate(bytes.subarray(0, 20), bytes.subarray(20)), WHOLE)).toHaveLength(3)
    expect(await expectEvents(iterate(...STREAM.split('')), WHOLE)).toHaveLength(3)
  })

  test('a client that is iterated over', async () => {
    const events = iterate({ type: 'tick', data: { n: 1 }, id: 'a' }, { data: 'x', lastEventId: 'b', topic: 't' })
    const expected = [
      { type: 'tick', data: { n: 1 }, id: 'a' },
      { type: 'message', data: 'x', id: 'b', topic: 't' },
    ]
    expect(await expectEvents(events, expected)).toMatchObject(expected)
  })

  test('an EventSource: the types that are expected, message, and those that are named', async () => {
    const source = new HandMadeSource()
    const collector = collectEvents(source, { types: ['tick'] })
    source.emit('message', 'one', '1')
    source.emit('other', 'not heard', '2')
    source.emit('tick', '{"n":2}', '3')
    await collector.expect([{ id: '1' }, { type: 'tick', data: { n: 2 } }])
    collector.close()
    source.emit('message', 'late', '4')
    expect(collector.events).toHaveLength(2)
    for (const type of ['message', 'tick', 'error']) expect(getEventListeners(source, type)).toEqual([])
    const named = expectEvents(source, [{ type: 'other' }])
    source.emit('other', 'heard', '5')
    await named
  })

  test('an EventSource that is closed for good has ended', async () => {
    const source = new HandMadeSource()
    const waiting = expectEvents(source, [{}])
    source.readyState = 0
    source.dispatchEvent(new Event('error'))
    source.readyState = 2
    source.dispatchEvent(new Event('error'))
    await expect(waiting).rejects.toThrow('0 came. The source has ended.')
  })

  test.each([
    ['a status', reply(503), 'is no event stream: status 503'],
    ['a content type', reply(200, { headers: { 'Content-Type': 'text/html' } }), 'Content-Type text/html'],
  ])('no answer with the wrong %s', async (_name, step, message) => {
    const server = await faultServer({ scripts: [[step]] })
    await expect(expectEvents(server.origin, [{}])).rejects.toThrow(message)
  })

  test('nothing that is no source', async () => {
    await expect(expectEvents({} as never, [{}])).rejects.toThrow('is no source of events')
  })

  test('a stream that is cut: what failed is the cause', async () => {
    const server = await faultServer({ scripts: [[send(STREAM), cut()]] })
    const error: unknown = await expectEvents(server.origin, [...WHOLE, {}]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      message: expect.stringContaining('3 came. The source failed:'),
      cause: expect.any(Error),
    })
  })
})

describe('an expectation', () => {
  const events = (...texts: readonly string[]): StreamPart[] =>
    texts.map((data, i) => ({ type: 'message', data, id: String(i + 1) }))

  test('tells what is missing', async () => {
    expect(await messageOf(events('a'), [{ data: 'a' }, { data: 'b' }, { type: 'tick', data: { n: 3 } }])).toBe(
      [
        'Expected 3 events; 1 came. The source has ended.',
        '  ✓ 1. came     id "1", type "message", data "a"',
        '  – 2. missing  data "b"',
        '  – 3. missing  type "tick", data {"n":3}',
      ].join('\n'),
    )
  })

  test('takes a field that is undefined for one that is left out', async () => {
    const expected = [{ id: undefined, type: undefined, topic: undefined, data: 'a' }, { id: undefined }]
    expect(await messageOf(events('a'), expected)).toBe(
      [
        'Expected 2 events; 1 came. The source has ended.',
        '  ✓ 1. came     id "1", type "message", data "a"',
        '  – 2. missing  any event',
      ].join('\n'),
    )
  })

  test('tells what came instead, and that it came too early', async () => {
    expect(await messageOf(events('a', 'c'), [{ data: 'a' }, { data: 'b' }, { data: 'c' }])).toBe(
      [
        'Expected 3 events; number 2 is another one:',
        '  ✓ 1. came     id "1", type "message", data "a"',
        '  ✗ 2. came     id "2", type "message", data "c" (too early: it is number 3 of the expected ones)',
        '    2. expected data "b"',
        '  – 3. missing  data "c"',
      ].join('\n'),
    )
  })

  test('tells what came twice', async () => {
    const [first = ''] = events('a')
    expect(await messageOf([first, first], [{ data: 'a' }, { data: 'b' }])).toContain(
      '✗ 2. came     id "1", type "message", data "a" (a second time: it was number 1)',
    )
  })

  test('that nothing more comes waits for it', async () => {
    const two = events('a', 'b')
    await expectEvents(iterateAndStay(...two), [{ data: 'a' }])
    await expect(expectEvents(iterateAndStay(...two), [{ data: 'a' }], { quietMs: 1_000 })).rejects.toThrow(
      'Expected 1 event and nothing more, but another came:',
    )
    await expectEvents(iterateAndStay(...two), [{ data: 'a' }, {}], { quietMs: 20 })
  })

  test('ends in bounded time', async () => {
    const startedMs = performance.now()
    await expect(expectEvents(iterateAndStay(), [{}], { withinMs: 30 })).rejects.toThrow('0 came. 30 ms are over.')
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  test('goes on where the last one of its collector stopped', async () => {
    using collector = collectEvents(iterateAndStay(...events('a', 'b', 'c')))
    expect(await collector.expect([{ data: 'a' }])).toMatchObject([{ id: '1' }])
    expect(await collector.expect([{ data: 'b' }, { data: 'c' }])).toMatchObject([{ id: '2' }, { id: '3' }])
  })

  test.each<[ExpectedEvent, boolean]>([
    [{}, true],
    [{ type: /^ti/g }, true],
    [{ type: 'Tick' }, false],
    [{ id: /^8/ }, false],
    [{ topic: 'a' }, false],
    [{ data: '{"n":[1,2]}' }, true],
    [{ data: { n: [1, 2] } }, true],
    [{ data: { n: [1] } }, false],
    [{ data: /n/ }, true],
    [{ data: undefined }, false],
    [({ data }) => String(data).length === 11, true],
    [() => false, false],
  ])('%o', async (expected, isMet) => {
    const outcome = await expectEvents(iterate('id: 7\nevent: tick\ndata: {"n":[1,2]}\n\n'), [expected]).then(
      () => 'met',
      (error: unknown) => (error instanceof ExpectationError ? 'not met' : error),
    )
    expect(outcome).toBe(isMet ? 'met' : 'not met')
  })

  test('passes over control events, unless it is about them', async () => {
    const stream = 'event: stream:connected\ndata: {}\n\ndata: 1\n\n'
    expect(await expectEvents(iterate(stream), [{ data: '1' }])).toHaveLength(1)
    expect(await expectEvents(iterate(stream), [{ type: 'stream:connected' }, { data: '1' }])).toHaveLength(2)
    const ignore = ({ type }: { type: string }): boolean => type !== 'message'
    await expect(expectEvents(iterate(stream), [{ type: 'stream:connected' }], { ignore })).rejects.toThrow(
      'another one',
    )
  })

  test('refuses a time that is none', async () => {
    await expect(expectEvents(iterate(), [], { withinMs: 0 })).rejects.toMatchObject({ code: 'invalid_option' })
  })
})
