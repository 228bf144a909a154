import { createHub, memory } from '@millrace/node'
import { collectEvents, cut, cutAt, forward, gzip, holdBack, inside, reply, send, wait } from '@millrace/testing'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { faultServer } from './support/fault-server.ts'
import { askRaw, bodyOf } from './support/raw-answer.ts'

/** A hub, and beside it a page, a form and a picture that is no stream. */
async function startApp() {
  const hub = createHub({ backend: memory() })
  const handle = hub.handler()
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/events')) void handle(request, response)
    else if (request.method === 'POST')
      request.pipe(
        response.writeHead(
          201,
          [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ].flat(),
        ),
      )
    else response.writeHead(200, { 'Content-Type': 'text/html', 'X-Host': request.headers.host ?? '' }).end('<p>')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    await hub.close({ drainMs: 0 })
    server.closeAllConnections()
    await closed
  }
  onTestFinished(close)
  return { hub, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

const STREAM = ['Accept: text/event-stream']

describe('in front of a server', () => {
  test('passes a stream on as it comes, with its headers and the id that was sent', async () => {
    const { hub, origin } = await startApp()
    const { ids } = await hub.publish([
      { topic: 'a', data: 1 },
      { topic: 'a', data: 2 },
    ])
    const proxy = await faultServer({ upstream: origin })
    const response = await fetch(`${proxy.origin}/events?topic=a`, {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': ids[0] ?? '' },
    })
    expect(response.headers.get('millrace-connection')).not.toBeNull()
    using events = collectEvents(response)
    await events.expect([{ id: ids[1] ?? '', data: 2 }])
    await hub.publish({ topic: 'a', data: 3 })
    await events.expect([{ data: 3 }])
    expect(proxy.requests[0]).toMatchObject({ lastEventId: ids[0], ending: 'open' })
    expect(String(proxy.requests[0]?.sent)).toContain('data: 3')
  })

  test('leaves the server when the client has left', async () => {
    const { hub, origin } = await startApp()
    const proxy = await faultServer({ upstream: origin })
    const leave = new AbortController()
    await fetch(`${proxy.origin}/events`, { headers: { Accept: 'text/event-stream' }, signal: leave.signal })
    expect(hub.stats().subscribers).toBe(1)
    leave.abort()
    await proxy.until('the end', (requests) => requests[0]?.ending === 'left')
    await expect.poll(() => hub.stats().subscribers).toBe(0)
  })

  test('lets what is no stream pass: pages, bodies, and headers that come twice', async () => {
    const { origin } = await startApp()
    const proxy = await faultServer({ upstream: origin, scripts: [[reply(500)]] })
    const page = await fetch(proxy.origin)
    expect(await page.text()).toBe('<p>')
    // Page and stream are of one origin for the server too.
    expect(page.headers.get('x-host')).toBe(new URL(proxy.origin).host)
    const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => i)
    const posted = await fetch(proxy.origin, { method: 'POST', body: bytes })
    expect(posted.status).toBe(201)
    expect(posted.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(new Uint8Array(await posted.arrayBuffer())).toEqual(bytes)
    expect(proxy.scriptsLeft).toBe(1)
    expect(proxy.requests).toEqual([])
  })

  test('cuts what is forwarded at a place in it', async () => {
    const { origin } = await startApp()
    const proxy = await faultServer({ upstream: origin })
    proxy.play([cutAt(inside('event: stream:connected', 12)), forward()], [cutAt(40, 'rst'), forward()])
    expect((await askRaw(proxy.origin, STREAM, 'GET /events HTTP/1.1')).text.endsWith('event: strea')).toBe(true)
    const second = await askRaw(proxy.origin, STREAM, 'GET /events HTTP/1.1')
    expect(second).toMatchObject({ end: 'rst', text: expect.stringMatching(/^.{40}$/s) })
  })

  test('refuses, delays and holds back on the way', async () => {
    const { origin, hub } = await startApp()
    const proxy = await faultServer({ upstream: origin })
    const gate = Promise.withResolvers<void>()
    proxy.play([reply(503)], [wait(gate.promise), forward()], [holdBack(), forward()])
    const headers = { Accept: 'text/event-stream' }
    expect((await fetch(`${proxy.origin}/events`, { headers })).status).toBe(503)
    const delayed = fetch(`${proxy.origin}/events`, { headers })
    await proxy.until('the second', (requests) => requests.length === 2)
    expect(hub.stats().subscribers).toBe(0)
    gate.resolve()
    expect((await delayed).status).toBe(200)
    const held = await fetch(`${proxy.origin}/events`, { headers })
    expect(held.status).toBe(200)
    await hub.publish({ topic: 'a', data: 1 })
    using events = collectEvents(held)
    await expect(events.expect([{ data: 1 }], { withinMs: 50 })).rejects.toThrow('0 came. 50 ms are over.')
  })

  test('compresses what is forwarded', async () => {
    const { origin, hub } = await startApp()
    const proxy = await faultServer({ upstream: origin, scripts: [[gzip(), forward()]] })
    const response = await fetch(`${proxy.origin}/events`, { headers: { Accept: 'text/event-stream' } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    using events = collectEvents(response)
    await hub.publish({ topic: 'a', data: 1 })
    await events.expect([{ data: 1 }])
  })

  test('says how the server ended: whole, cut, or not there', async () => {
    const whole = await faultServer({ otherwise: [send('data: 1\n\n')] })
    const broken = await faultServer({ otherwise: [send('data: 1\n\n'), cut('rst')] })
    const gone = await faultServer()
    await gone.close()
    const proxy = await faultServer({ upstream: whole.origin, isStream: () => true })
    expect(bodyOf(await askRaw(proxy.origin))).toMatch(/0\r\n\r\n$/)
    proxy.retarget(broken.origin)
    expect(await askRaw(proxy.origin)).toMatchObject({ end: 'rst' })
    proxy.retarget(`http://127.0.0.1:${new URL(whole.origin).port}`)
    expect(await (await fetch(proxy.origin)).text()).toBe('data: 1\n\n')
    proxy.retarget('http://127.0.0.1:1')
    expect(await askRaw(proxy.origin)).toMatchObject({ text: '', end: 'rst' })
  })

  test('forward without an upstream, and an upstream that is none, are refused', async () => {
    const server = await faultServer({ scripts: [[forward()]] })
    await askRaw(server.origin)
    await expect(server.close()).rejects.toMatchObject({ code: 'no_upstream' })
    await expect(faultServer({ upstream: '127.0.0.1:3000' })).rejects.toThrow('127.0.0.1:3000: give an origin')
  })
})
