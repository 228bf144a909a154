import { systemChance } from '@millrace/server'
import { readEvents } from '@millrace/conformance'
import express from 'express'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../server/test/support/fake-clock.ts'
import { createSession, sessionFactory } from '../src/index.ts'
import { connect, exchange, listen, until } from './support/serve.ts'

describe('createSession', () => {
  test('serves a stream in ten lines of Express', async () => {
    const app = express()
    app.get('/clock', async (request, response) => {
      const session = await createSession(request, response)
      session.send({ type: 'tick', data: { at: 1 } })
      session.send({ type: 'tick', data: { at: 2 } })
      await session.closed
    })
    const client = connect(await listen(createServer(app)))
    client.request({ path: '/clock' })
    await until(() => expect(readEvents(client.body)).toHaveLength(2))
    expect(readEvents(client.body)).toEqual([
      { id: '1', type: 'tick', data: '{"at":1}' },
      { id: '2', type: 'tick', data: '{"at":2}' },
    ])
  })

  test('starts with a comment and the reconnection time', async () => {
    const { client, request, response } = await exchange()
    await createSession(request, response, { retryMs: 1 })
    await until(() => expect(client.body).toMatch(/^: \n\nretry: [012]\n\n$/))
  })

  test('sends further headers', async () => {
    const { client, request, response } = await exchange()
    await createSession(request, response, { headers: { 'X-Mine': 'yes' } })
    await until(() => expect(client.head?.headers).toContainEqual(['x-mine', 'yes']))
    expect(client.head?.headers).toContainEqual(['content-type', 'text/event-stream'])
  })

  test('refuses limits out of range before anything is sent', async () => {
    const { request, response } = await exchange()
    await expect(createSession(request, response, { heartbeatMs: 1 })).rejects.toThrow('heartbeatMs is 1')
    expect(response.headersSent).toBe(false)
  })

  test('ends as its client leaves, and as it is closed', async () => {
    const left = await exchange()
    const session = await createSession(left.request, left.response)
    left.client.leave('close')
    await expect(session.closed).resolves.toBe('left')
    const closed = await exchange()
    const other = await createSession(closed.request, closed.response)
    other.send({ data: 'last' })
    other.close()
    await expect(other.closed).resolves.toBe('closed')
    await until(() => expect(closed.client.end).toBe('whole'))
    expect(readEvents(closed.client.body)).toMatchObject([{ data: 'last' }])
  })

  test('is over soon for a client that left while something was awaited', async () => {
    const { client, request, response } = await exchange()
    client.leave('close')
    await once(response, 'close')
    const session = await createSession(request, response)
    expect(session.isOpen).toBe(true)
    await expect(session.closed).resolves.toBe('left')
    expect(session.send({ data: 'nobody' })).toBe(false)
  })

  test('answers HEAD with a head', async () => {
    const { client, request, response } = await exchange({ method: 'HEAD', path: '/' })
    const session = await createSession(request, response)
    await expect(session.closed).resolves.toBe('closed')
    await until(() => expect(client.end).toBe('whole'))
    client.check()
    expect(client.head?.headers).toContainEqual(['content-type', 'text/event-stream'])
  })

  test.each([
    ['none', {}, undefined],
    ['the header', { headers: ['Last-Event-ID: 41'] }, '41'],
    ['the query', { path: '/?a=b&last_event_id=k3%2F%20f' }, 'k3/ f'],
    ['the header before the query', { path: '/?last_event_id=1', headers: ['last-event-id: 2'] }, '2'],
    ['the query before an empty header', { path: '/?last_event_id=1', headers: ['last-event-id: '] }, '1'],
    ['an empty query', { path: '/?last_event_id=' }, undefined],
    ['UTF-8', { headers: ['Last-Event-ID: é日'] }, 'é日'],
    ['a target that is no URL', { path: '//?//[:last_event_id=1&last_event_id=7' }, '7'],
  ])('reads the last id from %s', async (_where, asked, expected) => {
    const { request, response } = await exchange({ path: '/', ...asked })
    const session = await createSession(request, response)
    expect(session.lastEventId).toBe(expected)
  })
})

describe('sessionFactory', () => {
  test('has heartbeats after silence by its own clock, with one timer for all its sessions', async () => {
    const clock = new FakeClock()
    const create = sessionFactory({ clock, chance: { ...systemChance, fraction: () => 0.5 } })
    const exchanges = await Promise.all([exchange(), exchange(), exchange()])
    const sessions = await Promise.all(exchanges.map(({ request, response }) => create(request, response)))
    expect(clock.timerCount).toBe(1)
    const start = ': \n\nretry: 3000\n\n'
    for (const { client } of exchanges) await until(() => expect(client.body).toBe(start))
    clock.advance(15_000)
    for (const { client } of exchanges) await until(() => expect(client.body).toBe(`${start}: \n\n`))
    for (const session of sessions) session.close()
    await Promise.all(sessions.map((session) => session.closed))
    expect(clock.timerCount).toBe(0)
  })

  test.each([100, 500, 1_500])('keeps heartbeats of %i ms, beside sessions with longer ones', async (heartbeatMs) => {
    const clock = new FakeClock()
    const create = sessionFactory({ clock, chance: { ...systemChance, fraction: () => 0.5 } })
    const [slow, fast, same] = await Promise.all([exchange(), exchange(), exchange()])
    const sessions = [
      await create(slow.request, slow.response),
      await create(fast.request, fast.response, { heartbeatMs }),
      await create(same.request, same.response, { heartbeatMs }),
    ]
    expect(clock.timerCount).toBe(2)
    const start = ': \n\nretry: 3000\n\n'
    for (let count = 1; count <= 5; count++) {
      for (const { client } of [fast, same]) {
        await until(() => expect(client.body).toBe(start + ': \n\n'.repeat(count - 1)))
      }
      clock.advance(heartbeatMs)
    }
    expect(slow.client.body).toBe(start)
    for (const session of sessions) session.close()
    await Promise.all(sessions.map((session) => session.closed))
    expect(clock.timerCount).toBe(0)
  })

  test('cuts a client off that does not take the end within five seconds', async () => {
    const clock = new FakeClock()
    const { client, request, response } = await exchange()
    const session = await sessionFactory({ clock })(request, response, { maxBufferBytes: 2 ** 28 })
    client.pause()
    session.send({ data: 'x'.repeat(24_000_000) })
    session.close()
    clock.advance(5_000)
    expect(request.socket.destroyed).toBe(false)
    clock.advance(2_000)
    await expect(session.closed).resolves.toBe('closed')
    expect(request.socket.destroyed).toBe(true)
    client.resume()
    await until(() => expect(client.end).toBe('cut'))
  })
})
