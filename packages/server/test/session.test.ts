import { beforeEach, describe, expect, it } from 'vitest'
import { HubError } from '../src/hub-error.ts'
import { resolveSessionLimits } from '../src/session.ts'
import { PlayedClient } from './support/played-client.ts'
import { SessionBench } from './support/session-bench.ts'

let bench: SessionBench

beforeEach(() => {
  bench = new SessionBench()
})

describe('the start of a session', () => {
  it.each([
    [0, 1_500],
    [0.5, 3_000],
    [0.9999, 4_500],
  ])('is a comment and a retry time; chance %f of 3 s gives %i ms', (fraction, retryMs) => {
    const session = bench.open({ fraction })
    expect(bench.transport.received).toBe(`: \n\nretry: ${retryMs}\n\n`)
    expect(session.isOpen).toBe(true)
  })

  it('keeps the id that the client came back with, whatever it is', () => {
    expect(bench.openQuietly({ lastEventId: 'a\u0001;drop' }).lastEventId).toBe('a\u0001;drop')
    bench.transport = new PlayedClient()
    expect(bench.openQuietly().lastEventId).toBeUndefined()
  })
})

describe('send', () => {
  it('writes the fields of an event and numbers it', () => {
    const session = bench.openQuietly()
    expect(session.send({ data: { at: 1 }, type: 'tick', topic: 'a.b', retryMs: 10 })).toBe(true)
    expect(session.send({ data: 'one\ntwo' })).toBe(true)
    expect(bench.transport.received).toBe(
      'id: 1\nevent: tick\ntopic: a.b\nretry: 10\ndata: {"at":1}\n\nid: 2\ndata: one\ndata: two\n\n',
    )
  })

  it.each([
    ['a string', 'as "it" is', 'as "it" is'],
    ['an empty string', '', ''],
    ['null', null, 'null'],
    ['false', false, 'false'],
    ['a list', [1, 'a'], '[1,"a"]'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('takes %s as data', (_name, data, text) => {
    bench.openQuietly().send({ data, id: 'x' })
    expect(bench.transport.received).toBe(`id: x\ndata: ${text}\n\n`)
  })

  it('uses the id that is given and does not count it', () => {
    const session = bench.openQuietly()
    session.send({ data: 'a', id: 'mine' })
    session.send({ data: 'b' })
    expect(bench.transport.received).toBe('id: mine\ndata: a\n\nid: 1\ndata: b\n\n')
  })

  it.each([
    ['41', '42'],
    ['999999999999999', '1000000000000000'],
    ['0', '1'],
    ['041', '1'],
    ['-3', '1'],
    ['1e3', '1'],
    ['12345678901234567890', '1'],
    ['k3f9z2-1042-x7q', '1'],
    ['', '1'],
  ])('goes on counting after the number that the client came back with: %j, then %j', (lastEventId, id) => {
    bench.openQuietly({ lastEventId }).send({ data: 'x' })
    expect(bench.transport.received).toBe(`id: ${id}\ndata: x\n\n`)
  })

  it.each([
    ['undefined', { data: undefined }],
    ['a function', { data: () => 1 }],
    ['a bigint', { data: 1n }],
    ['a reserved type', { data: 'x', type: 'stream:end' }],
    ['a type that browsers fire themselves', { data: 'x', type: 'error' }],
    ['a type with a line break', { data: 'x', type: 'a\nid: 9' }],
  ])('refuses %s and sends nothing', (_name, event) => {
    const session = bench.openQuietly()
    expect(() => session.send(event)).toThrow(HubError)
    expect(bench.transport.received).toBe('')
    session.send({ data: 'next' })
    expect(bench.transport.received).toBe('id: 1\ndata: next\n\n')
  })

  it.each([
    ['id', { data: 'x', id: 'a\nb' }],
    ['topic', { data: 'x', topic: 'a\rb' }],
    ['retry time', { data: 'x', retryMs: -1 }],
  ])('refuses a %s that would break the stream', (_name, event) => {
    const session = bench.openQuietly()
    expect(() => session.send(event)).toThrow(expect.objectContaining({ code: 'invalid_field' }))
    expect(bench.transport.received).toBe('')
  })
})

describe('the limits of a session', () => {
  it('are those of the hub', () => {
    expect(resolveSessionLimits({})).toEqual({
      heartbeatMs: 15_000,
      retryMs: 3_000,
      maxBufferBytes: 131_072,
      staleMs: 60_000,
    })
  })

  it('are checked', () => {
    expect(() => resolveSessionLimits({ heartbeatMs: 0 })).toThrow('heartbeatMs is 0')
    expect(resolveSessionLimits({ staleMs: 100 }).staleMs).toBe(100)
  })
})
