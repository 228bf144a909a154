import { beforeEach, describe, expect, it } from 'vitest'
import { PlayedClient } from './support/played-client.ts'
import { SessionBench } from './support/session-bench.ts'

let bench: SessionBench

beforeEach(() => {
  bench = new SessionBench()
})

describe('a slow client', () => {
  const kilobyte = 'x'.repeat(1_024)

  it('makes send answer false above maxBufferBytes, and true again when it has read', () => {
    const session = bench.openQuietly({ maxBufferBytes: 4_096 })
    bench.transport.reads = false
    const answers = [1, 2, 3, 4].map(() => session.send({ data: kilobyte }))
    expect(answers).toEqual([true, true, true, false])
    bench.transport.take()
    expect(session.send({ data: kilobyte })).toBe(true)
  })

  it('is cut off past twice maxBufferBytes, with the reason slow', async () => {
    const session = bench.openQuietly({ maxBufferBytes: 4_096 })
    bench.transport.reads = false
    for (let count = 0; count < 7; count++) session.send({ data: kilobyte })
    expect([bench.transport.ended, session.isOpen]).toEqual(['no', true])
    expect(session.send({ data: kilobyte })).toBe(false)
    expect([bench.transport.ended, session.isOpen]).toEqual(['at once', false])
    bench.transport.leave()
    await expect(session.closed).resolves.toBe('slow')
  })

  it('may be sent one event of any size', () => {
    const session = bench.openQuietly({ maxBufferBytes: 4_096 })
    bench.transport.reads = false
    expect(session.send({ data: kilobyte.repeat(100) })).toBe(false)
    expect(bench.transport.ended).toBe('no')
    bench.transport.take()
    expect(session.send({ data: 'next' })).toBe(true)
  })

  it('is cut off by comments just as by events', () => {
    const session = bench.openQuietly({ maxBufferBytes: 1_024 })
    bench.transport.reads = false
    expect(session.comment(kilobyte)).toBe(false)
    expect(session.comment(kilobyte)).toBe(false)
    expect(bench.transport.ended).toBe('at once')
  })

  it('is cut off as stale when it takes nothing for staleMs while bytes wait', async () => {
    const session = bench.openQuietly({ staleMs: 10_000 })
    bench.transport.reads = false
    session.send({ data: 'waits' })
    bench.clock.advance(10_000)
    expect(bench.transport.ended).toBe('no')
    bench.clock.advance(2_000)
    expect(bench.transport.ended).toBe('at once')
    bench.transport.leave()
    await expect(session.closed).resolves.toBe('stale')
  })

  it('is not stale as long as it takes something, although more waits all the time', () => {
    const session = bench.openQuietly({ staleMs: 10_000 })
    bench.transport.reads = false
    session.send({ data: 'ahead' })
    for (let second = 0; second < 60; second++) {
      session.send({ data: 'more' })
      bench.transport.take(1)
      bench.clock.advance(1_000)
    }
    expect([bench.transport.ended, session.bufferedBytes > 0]).toEqual(['no', true])
  })

  it('is not stale either while it takes a little of much that waits', () => {
    const session = bench.openQuietly({ staleMs: 10_000 })
    bench.transport.reads = false
    for (let count = 0; count < 100; count++) session.send({ data: kilobyte })
    for (let second = 0; second < 90; second++) {
      bench.transport.take(1)
      bench.clock.advance(1_000)
    }
    expect([bench.transport.ended, session.bufferedBytes > 10_000]).toEqual(['no', true])
  })

  it('is never stale when staleMs is false', () => {
    const session = bench.openQuietly({ staleMs: false })
    bench.transport.reads = false
    session.send({ data: 'waits' })
    bench.clock.advance(3_600_000)
    expect(bench.transport.ended).toBe('no')
  })
})

describe('drained', () => {
  it('resolves at once when nothing waits', async () => {
    await expect(bench.openQuietly().drained()).resolves.toBeUndefined()
  })

  it('resolves at once when bytes wait in a transport that has room for more', async () => {
    bench.transport = new PlayedClient(1_000_000)
    const session = bench.openQuietly()
    bench.transport.reads = false
    for (let count = 0; count < 4; count++) {
      expect(session.send({ data: 'waits for the end of the turn' })).toBe(true)
      await session.drained()
    }
    expect(session.bufferedBytes).toBeGreaterThan(100)
  })

  it('resolves when the client has taken everything, for all who wait', async () => {
    const session = bench.openQuietly()
    bench.transport.reads = false
    session.send({ data: 'more than the high water mark' })
    const waits = [session.drained(), session.drained()]
    const done = settled(waits[0])
    await Promise.resolve()
    expect(done.state).toBe('pending')
    bench.transport.take()
    await Promise.all(waits)
  })

  it.each([
    ['in the next turn', 0],
    ['later', 1_000],
  ])('resolves %s although the transport never said that it was full', async (_name, waitMs) => {
    bench.transport = new PlayedClient(1_000_000)
    const session = bench.openQuietly({ maxBufferBytes: 1_024 })
    bench.transport.reads = false
    expect(session.send({ data: 'x'.repeat(2_000) })).toBe(false)
    const wait = session.drained()
    if (waitMs > 0) bench.clock.advance(0)
    bench.transport.take()
    bench.clock.advance(waitMs)
    await expect(wait).resolves.toBeUndefined()
  })

  it('resolves when the client leaves instead', async () => {
    const session = bench.openQuietly()
    bench.transport.reads = false
    session.send({ data: 'never taken' })
    const wait = session.drained()
    bench.transport.leave()
    await wait
    expect(session.isOpen).toBe(false)
  })

  it('resolves when the session is closed instead', async () => {
    const session = bench.openQuietly()
    bench.transport.reads = false
    session.send({ data: 'not taken yet' })
    const wait = session.drained()
    session.close()
    await expect(wait).resolves.toBeUndefined()
  })

  it('rejects with the reason of its signal, and waits for nothing when that is aborted already', async () => {
    const session = bench.openQuietly()
    bench.transport.reads = false
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
    const session = bench.openQuietly({ heartbeatMs: 15_000 })
    bench.clock.advance(14_500)
    session.send({ data: 'x', id: 'i' })
    bench.transport.received = ''
    bench.clock.advance(13_500)
    expect(bench.transport.received).toBe('')
    bench.clock.advance(1_500)
    expect(bench.transport.received).toBe(': \n\n')
    bench.clock.advance(15_000)
    expect(bench.transport.received).toBe(': \n\n: \n\n')
  })

  it('are left out while bytes wait: they would only wait behind them', () => {
    const session = bench.openQuietly({ heartbeatMs: 2_000, staleMs: false })
    bench.transport.reads = false
    session.send({ data: 'x', id: 'i' })
    bench.clock.advance(20_000)
    bench.transport.take()
    expect(bench.transport.received).toBe('id: i\ndata: x\n\n')
  })

  it('end with the session', () => {
    const session = bench.openQuietly({ heartbeatMs: 2_000 })
    session.close()
    bench.clock.advance(4_000)
    expect(bench.transport.received).toBe('')
  })
})

describe('the end of a session', () => {
  it('is graceful when it is closed: what was sent arrives first', async () => {
    const session = bench.openQuietly()
    session.send({ data: 'last', id: 'z' })
    session.close()
    session.close()
    expect([bench.transport.ended, bench.transport.received]).toEqual(['gracefully', 'id: z\ndata: last\n\n'])
    expect([session.isOpen, session.send({ data: 'late' }), session.comment('late')]).toEqual([false, false, false])
    bench.transport.leave()
    await expect(session.closed).resolves.toBe('closed')
    expect(bench.transport.received).not.toContain('late')
  })

  it('comes at once when the client does not take what was sent within five seconds', async () => {
    const session = bench.openQuietly()
    bench.transport.reads = false
    session.send({ data: 'never taken' })
    session.close()
    bench.clock.advance(5_000)
    expect(bench.transport.ended).toBe('gracefully')
    bench.clock.advance(2_000)
    expect(bench.transport.ended).toBe('at once')
    bench.transport.leave()
    await expect(session.closed).resolves.toBe('closed')
  })

  it('is told to those who asked before it and to those who ask after it', async () => {
    const session = bench.openQuietly()
    const before = session.closed
    bench.transport.leave()
    await expect(before).resolves.toBe('left')
    await expect(session.closed).resolves.toBe('left')
    expect([session.isOpen, session.send({ data: 'late' })]).toEqual([false, false])
  })

  it('leaves nothing behind', () => {
    const sessions = Array.from({ length: 100 }, () => {
      bench.transport = new PlayedClient()
      return { session: bench.openQuietly(), transport: bench.transport }
    })
    expect([bench.sweep.size, bench.clock.timerCount]).toEqual([100, 1])
    for (const each of sessions) each.transport.leave()
    expect([bench.sweep.size, bench.clock.timerCount, bench.clock.soonCount]).toEqual([0, 0, 0])
  })
})

function settled(promise: Promise<unknown> | undefined): { state: 'pending' | 'settled' } {
  const result: { state: 'pending' | 'settled' } = { state: 'pending' }
  void promise?.finally(() => {
    result.state = 'settled'
  })
  return result
}
