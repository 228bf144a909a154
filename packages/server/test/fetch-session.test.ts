import { createChannel, createSession, sessionFactory } from '@millrace/server'
import { expect, test } from 'vitest'
import { FakeClock } from './support/fake-clock.ts'
import { readBody } from './support/read-body.ts'

const ask = (init?: RequestInit): Request => new Request('https://example.org/events', init)

test('a session sends its events, numbered, and ends', async () => {
  const { session, response } = createSession(ask(), { retryMs: 1 })
  session.send({ type: 'token', data: 'one' })
  session.send({ data: { two: 2 } })
  session.close()
  expect(await readBody(response)).toMatch(
    /^: \n\nretry: [012]\n\nid: 1\nevent: token\ndata: one\n\nid: 2\ndata: \{"two":2\}\n\n$/,
  )
  expect(await session.closed).toBe('closed')
})

test('a session goes on from the number that the client came back with', async () => {
  const { session, response } = createSession(ask({ headers: { 'Last-Event-ID': '41' } }))
  expect(session.lastEventId).toBe('41')
  session.send({ data: 'next' })
  expect(await readBody(response, 'next')).toContain('id: 42\n')
  expect(await session.closed).toBe('left')
})

test('headers are added to those of every stream, and win over them', () => {
  const headers = { 'X-Mine': 'yes', 'cache-control': 'no-store' }
  const { session, response } = createSession(ask(), { headers })
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-mine': 'yes',
  })
  session.close()
})

test('HEAD gets the head, and a session that is closed', async () => {
  const { session, response } = createSession(ask({ method: 'HEAD' }))
  expect([response.headers.get('content-type'), response.body]).toEqual(['text/event-stream', null])
  expect(session.send({ data: 'nobody' })).toBe(false)
  await session.closed
})

test('a silent session is kept alive by heartbeats of its own clock', async () => {
  const clock = new FakeClock()
  const { session, response } = sessionFactory({ clock })(ask(), { heartbeatMs: 1_000 })
  const reader = response.body?.getReader()
  await reader?.read()
  const next = reader?.read()
  await expect.poll(() => session.bufferedBytes).toBe(0)
  clock.advance(1_000)
  expect(new TextDecoder().decode((await next)?.value)).toBe(': \n\n')
  session.close()
})

test('a channel reaches everybody who is here, and catches up who comes back', async () => {
  const channel = createChannel({ historyCount: 10 })
  const responses = [await channel.subscribe(ask()), await channel.subscribe(ask())]
  expect(channel.broadcast({ type: 'note', data: 1 })).toBe(2)
  const texts = await Promise.all(responses.map((response) => readBody(response, 'data: 1\n\n')))
  const id = /id: (\S+)\nevent: note/.exec(texts[0] ?? '')?.[1] ?? ''
  await expect.poll(() => channel.size).toBe(0)
  expect(channel.broadcast({ data: 2 })).toBe(0)
  const back = await channel.subscribe(ask({ headers: { 'Last-Event-ID': id } }))
  expect(await readBody(back, 'data: 2\n\n')).toContain('data: 2\n\n')
  await channel.close({ drainMs: 0 })
  expect(() => channel.broadcast({ data: 3 })).toThrow(expect.objectContaining({ code: 'closed' }))
})
