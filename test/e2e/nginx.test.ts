/** The configurations of docs/hub.md and docs/client.md in a real nginx, before the real hub. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { documentedCorsLocation, documentedLocation, nginxAvailable, startNginx } from './support/nginx.ts'
import { CONNECTED } from './support/resume-client.ts'
import { openStream } from './support/stream-reader.ts'

const APP = 'https://app.example'

describe.skipIf(!nginxAvailable())('behind nginx, as docs/hub.md has it', () => {
  test('a stream begins at once, each event comes when it is published, and it resumes', async () => {
    const { hub, origin } = await start(documentedLocation())
    // A page of the public name, which the hub would refuse by itself.
    const headers = { Host: 'example.com', Origin: 'https://example.com' }
    const stream = await openStream(`${origin}/events?topic=a`, { headers })
    await stream.until(CONNECTED)
    for (const data of ['one', 'two']) {
      await publish(hub, data)
      await stream.until((block) => block.data === data)
    }
    const [one] = stream.ids
    const again = await openStream(`${origin}/events?topic=a`, { headers: { ...headers, 'Last-Event-ID': one ?? '' } })
    await again.until(({ event }) => event === 'stream:caught-up')
    expect(again.events).toMatchObject([{ data: 'two' }])
  })

  test('polls pass too', async () => {
    const { hub, origin } = await start(documentedLocation())
    const headers = { Accept: 'application/json' }
    const first = (await (await fetch(`${origin}/events`, { headers })).json()) as { cursor: string }
    const poll = fetch(`${origin}/events?wait=20&last_event_id=${first.cursor}`, { headers })
    await publish(hub, 'one')
    expect(await (await poll).json()).toMatchObject({ events: [{ data: 'one' }] })
  })

  test('the world does not publish, and gets nothing but events', async () => {
    const { origin } = await start(documentedLocation())
    const requests = ['/admin/stats', '/metrics', '/events/stream'].map((path) => fetch(origin + path))
    requests.push(fetch(`${origin}/events`, { method: 'POST', body: '{"topic":"a","data":1}' }))
    for (const { status, headers } of await Promise.all(requests)) {
      // The hub itself would answer with a problem, or as it was asked.
      expect([403, 404]).toContain(status)
      expect(headers.get('content-type')).toBe('text/html')
    }
  })
})

describe.skipIf(!nginxAvailable())('behind nginx, with the CORS headers of docs/client.md', () => {
  test('a preflight is answered with what a stream that comes back sends', async () => {
    const { origin } = await start(documentedCorsLocation(APP))
    const asked = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'last-event-id' }
    const { status, headers } = await fetch(`${origin}/events`, {
      method: 'OPTIONS',
      headers: { Origin: APP, ...asked },
    })
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(APP)
    expect(headers.get('access-control-allow-headers')?.split(', ')).toEqual(
      expect.arrayContaining(['Authorization', 'Last-Event-ID', 'Millrace-Client']),
    )
    expect(headers.get('access-control-max-age')).toBe('7200')
  })

  test('streams and refusals say whose pages may read them', async () => {
    const { origin } = await start(documentedCorsLocation(APP))
    const stream = await openStream(`${origin}/events`, { headers: { Origin: APP } })
    await stream.until(CONNECTED)
    expect(stream.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'Millrace-Connection, Retry-After',
    })
    const wrong = await fetch(`${origin}/events?topic=a..b`, { headers: { Origin: APP } })
    const post = await fetch(`${origin}/events`, { method: 'POST', headers: { Origin: APP }, body: '{}' })
    expect([wrong.status, post.status]).toEqual([400, 403])
    for (const { headers } of [wrong, post]) expect(headers.get('access-control-allow-origin')).toBe(APP)
  })
})

async function start(location: string): Promise<{ hub: HubProcess; origin: string }> {
  const hub = await startHubProcess(['--port', '0', '--log', 'memory:'])
  onTestFinished(() => hub.stop())
  return { hub, origin: await startNginx(location, hub.port) }
}

async function publish({ url }: HubProcess, data: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  const { ok } = await fetch(`${url}/events`, { method: 'POST', headers, body: JSON.stringify({ topic: 'a', data }) })
  expect(ok).toBe(true)
}
