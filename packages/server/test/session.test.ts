import { beforeEach, describe, expect, it } from 'vitest'
import { HubError } from '../src/hub-error.ts'
import { resolveSessionLimits, type SessionLimits } from '../src/session.ts'
import { Sweep } from '../src/sweep.ts'
import { TransportSession } from '../src/transport-session.ts'
import { FakeClock } from './support/fake-clock.ts'
import { PlayedClient } from './support/played-client.ts'

let clock: FakeClock
let sweep: Sweep
let transport: PlayedClient

beforeEach(() => {
  clock = new FakeClock()
  sweep = new Sweep(clock, { intervalMs: 1_000 })
  transport = new PlayedClient()
})

function open(given: Partial<SessionLimits> & { lastEventId?: string; fraction?: number } = {}): TransportSession {
  const { lastEventId, fraction = 0.5, ...limits } = given
  const chance = { fraction: () => fraction, token: (length: number) => 'x'.repeat(length) }
  const session = new TransportSession(transport, { clock, chance, sweep }, resolveSessionLimits(limits), lastEventId)
  transport.received = ''
  return session
}

describe('the start of a session', () => {
  it.each([
    [0, 1_500],
    [0.5, 3_000],
    [0.9999, 4_500],
  ])('is a comment and a retry time; chance %f of 3 s gives %i ms', (fraction, retryMs) => {
    const chance = { fraction: () => fraction, token: () => '' }
    const session = new TransportSession(transport, { clock, chance, sweep }, resolveSessionLimits({}))
    expect(transport.received).toBe(`: \n\nretry: ${retryMs}\n\n`)
    expect(session.isOpen).toBe(true)
  })

  it('keeps the id that the client came back with, whatever it is', () => {
    expect(open({ lastEventId: 'a\u0001;drop' }).lastEventId).toBe('a\u0001;drop')
    transport = new PlayedClient()
    expect(open().lastEventId).toBeUndefined()
  })
})

describe('send', () => {
  it('writes the fields of an event and numbers it', () => {
    const session = open()
    expect(session.send({ data: { at: 1 }, type: 'tick', topic: 'a.b', retryMs: 10 })).toBe(true)
    expect(session.send({ data: 'one\ntwo' })).toBe(true)
    expect(transport.received).toBe(
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
    open().send({ data, id: 'x' })
    expect(transport.received).toBe(`id: x\ndata: ${text}\n\n`)
  })

  it('uses the id that is given and does not count it', () => {
    const session = open()
    session.send({ data: 'a', id: 'mine' })
    session.send({ data: 'b' })
    expect(transport.received).toBe('id: mine\ndata: a\n\nid: 1\ndata: b\n\n')
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
    open({ lastEventId }).send({ data: 'x' })
    expect(transport.received).toBe(`id: ${id}\ndata: x\n\n`)
  })

  it.each([
    ['undefined', { data: undefined }],
    ['a function', { data: () => 1 }],
    ['a bigint', { data: 1n }],
    ['a reserved type', { data: 'x', type: 'stream:end' }],
    ['a type that browsers fire themselves', { data: 'x', type: 'error' }],
    ['a type with a line break', { data: 'x', type: 'a\nid: 9' }],
  ])('refuses %s and sends nothing', (_name, event) => {
    const session = open()
    expect(() => session.send(event)).toThrow(HubError)
    expect(transport.received).toBe('')
    session.send({ data: 'next' })
    expect(transport.received).toBe('id: 1\ndata: next\n\n')
  })

  it.each([
    ['id', { data: 'x', id: 'a\nb' }],
    ['topic', { data: 'x', topic: 'a\rb' }],
    ['retry time', { data: 'x', retryMs: -1 }],
  ])('refuses a %s that would break the stream', (_name, event) => {
    const session = open()
    expect(() => session.send(event)).toThrow(expect.objectContaining({ code: 'invalid_field' }))
    expect(transport.received).toBe('')
  })
})

describe('a slow client', () => {
  const kilobyte = 'x'.repeat(1_024)

  it('makes send answer false above maxBufferBytes, and true again when it has read', () => {
    const session = open({ maxBufferBytes: 4_096 })
    transport.reads = false
    const answers = [1, 2, 3, 4].map(() => session.send({ data: kilobyte }))
    expect(answers).toEqual([true, true, true, false])
    transport.take()
    expect(session.send({ data: kilobyte })).toBe(true)
  })

  it('is cut off past twice maxBufferBytes, with the reason slow', async () => {
    const session = open({ maxBufferBytes: 4_096 })
    transport.reads = false
    for (let count = 0; count < 7; count++) session.send({ data: kilobyte })
    expect([transport.ended, session.isOpen]).toEqual(['no', true])
    expect(session.send({ data: kilobyte })).toBe(false)
    expect([transport.ended, session.isOpen]).toEqual(['at once', false])
    transport.leave()
    await expect(session.closed).resolves.toBe('slow')
  })

  it('may be sent one event of any size', () => {
    const session = open({ maxBufferBytes: 4_096 })
    transport.reads = false
    expect(session.send({ data: kilobyte.repeat(100) })).toBe(false)
    expect(transport.ended).toBe('no')
    transport.take()
    expect(session.send({ data: 'next' })).toBe(true)
  })

  it('is cut off by comments just as by events', () => {
    const session = open({ maxBufferBytes: 1_024 })
    transport.reads = false
    expect(session.comment(kilobyte)).toBe(false)
    expect(session.comment(kilobyte)).toBe(false)
    expect(transport.ended).toBe('at once')
  })

  it('is cut off as stale when it takes nothing for staleMs while bytes wait', async () => {
    const session = open({ staleMs: 10_000 })
    transport.reads = false
    session.send({ data: 'waits' })
    clock.advance(10_000)
    expect(transport.ended).toBe('no')
    clock.advance(2_000)
    expect(transport.ended).toBe('at once')
    transport.leave()
    await expect(session.closed).resolves.toBe('stale')
  })

  it('is not stale as long as it takes something, although more waits all the time', () => {
    const session = open({ staleMs: 10_000 })
    transport.reads = false
    session.send({ data: 'ahead' })
    for (let second = 0; second < 60; second++) {
      session.send({ data: 'more' })
      transport.take(1)
      clock.advance(1_000)
    }
    expect([transport.ended, session.bufferedBytes > 0]).toEqual(['no', true])
  })

  it('is never stale when staleMs is false', () => {
    const session = open({ staleMs: false })
    transport.reads = false
    session.send({ data: 'waits' })
    clock.advance(3_600_000)
    expect(transport.ended).toBe('no')
  })
})

describe('drained', () => {
  it('resolves at once when nothing waits', async () => {
    await expect(open().drained()).resolves.toBeUndefined()
  })

  it('resolves when the client has taken everything, for all who wait', async () => {
    const session = open()
    transport.reads = false
    session.send({ data: 'more than the high water mark' })
    const waits = [session.drained(), session.drained()]
    const done = settled(waits[0])
    await Promise.resolve()
    expect(done.state).toBe('pending')
    transport.take()
    await Promise.all(waits)
  })

  it('resolves although the transport never said that it was full', async () => {
    transport = new PlayedClient(1_000_000)
    const session = open({ maxBufferBytes: 1_024 })
    transport.reads = false
    expect(session.send({ data: 'x'.repeat(2_000) })).toBe(false)
    const wait = session.drained()
    transport.take()
    clock.advance(1_000)
    await expect(wait).resolves.toBeUndefined()
  })

  it('resolves when the client leaves instead', async () => {
    const session = open()
    transport.reads = false
    session.send({ data: 'never taken' })
    const wait = session.drained()
    transport.leave()
    await wait
    expect(session.isOpen).toBe(false)
  })

  it('resolves when the session is closed instead', async () => {
    const session = open()
    transport.reads = false
    session.send({ data: 'not taken yet' })
    const wait = session.drained()
    session.close()
    await expect(wait).resolves.toBeUndefined()
  })

  it('rejects with the reason of its signal, and waits for nothing when that is aborted already', async () => {
    const session = open()
    transport.reads = false
    session.send({ data: 'never taken' })
    const abort = new AbortController()
    const wait = session.drained(abort.signal)
    abort.abort(new Error('enough'))
    await expect(wait).rejects.toThrow('enough')
    await expect(session.drained(abort.signal)).rejects.toThrow('enough')
  })
})

describe('heartbeats', () => {
  it('come after silence only, so that none lasts longer than heartbeatMs', () => {
    const session = open({ heartbeatMs: 15_000 })
    clock.advance(14_500)
    session.send({ data: 'x', id: 'i' })
    transport.received = ''
    clock.advance(13_500)
    expect(transport.received).toBe('')
    clock.advance(1_500)
    expect(transport.received).toBe(': \n\n')
    clock.advance(15_000)
    expect(transport.received).toBe(': \n\n: \n\n')
  })

  it('are left out while bytes wait: they would only wait behind them', () => {
    const session = open({ heartbeatMs: 2_000, staleMs: false })
    transport.reads = false
    session.send({ data: 'x', id: 'i' })
    clock.advance(20_000)
    transport.take()
    expect(transport.received).toBe('id: i\ndata: x\n\n')
  })

  it('end with the session', () => {
    const session = open({ heartbeatMs: 2_000 })
    session.close()
    clock.advance(4_000)
    expect(transport.received).toBe('')
  })
})

describe('the end of a session', () => {
  it('is graceful when it is closed: what was sent arrives first', async () => {
    const session = open()
    session.send({ data: 'last', id: 'z' })
    session.close()
    session.close()
    expect([transport.ended, transport.received]).toEqual(['gracefully', 'id: z\ndata: last\n\n'])
    expect([session.isOpen, session.send({ data: 'late' }), session.comment('late')]).toEqual([false, false, false])
    transport.leave()
    await expect(session.closed).resolves.toBe('closed')
    expect(transport.received).not.toContain('late')
  })

  it('comes at once when the client does not take what was sent within five seconds', async () => {
    const session = open()
    transport.reads = false
    session.send({ data: 'never taken' })
    session.close()
    clock.advance(5_000)
    expect(transport.ended).toBe('gracefully')
    clock.advance(2_000)
    expect(transport.ended).toBe('at once')
    transport.leave()
    await expect(session.closed).resolves.toBe('closed')
  })

  it('is told to those who asked before it and to those who ask after it', async () => {
    const session = open()
    const before = session.closed
    transport.leave()
    await expect(before).resolves.toBe('left')
    await expect(session.closed).resolves.toBe('left')
    expect([session.isOpen, session.send({ data: 'late' })]).toEqual([false, false])
  })

  it('leaves nothing behind', () => {
    const sessions = Array.from({ length: 100 }, () => {
      transport = new PlayedClient()
      return { session: open(), transport }
    })
    expect([sweep.size, clock.timerCount]).toEqual([100, 1])
    for (const each of sessions) each.transport.leave()
    expect([sweep.size, clock.timerCount, clock.soonCount]).toEqual([0, 0, 0])
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

function settled(promise: Promise<unknown> | undefined): { state: 'pending' | 'settled' } {
  const result: { state: 'pending' | 'settled' } = { state: 'pending' }
  void promise?.finally(() => {
    result.state = 'settled'
  })
  return result
}
