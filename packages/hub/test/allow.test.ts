import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../src/http/hub-server.ts'
import { ask } from './support/hub-request.ts'

let server: HubServer

beforeAll(async () => {
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
})
afterAll(() => server.close())

test.each([
  ['/events', 'HEAD', 'GET, POST'],
  ['/events?topic=a', 'HEAD', 'GET, POST'],
  ['/events', 'PUT', 'GET, POST'],
  ['/events?topic=a', 'DELETE', 'GET, POST'],
  ['/events', 'PROPFIND', 'GET, POST'],
  ['/health/live', 'POST', 'GET, HEAD'],
  ['/admin/connections/x', 'GET', 'DELETE'],
  ['/events', 'QUERY', 'GET, POST'],
])('%s by %s is answered with all that is allowed there', async (path, method, allowed) => {
  const { status, headers } = await ask(`${server.url}${path}`, { method })
  expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: allowed })
})

const json = { 'content-type': 'application/json' }

test.each([
  ['no JSON', { method: 'POST', headers: json, body: '{' }],
  ['more than any body may have', { method: 'POST', headers: json, body: ' '.repeat(2_000_000) }],
  ['no type', { method: 'POST', body: 'hello' }],
])('what is not there is said before a body of %s is judged', async (_what, request) => {
  expect(await ask(`${server.url}/nothing`, request)).toMatchObject({ status: 404 })
  expect(await ask(`${server.url}/health/live`, request)).toMatchObject({ status: 405 })
})

test.each(['application/json', 'text/plain'])(
  'a DELETE may say that it is %s, as some clients always do',
  async (type) => {
    const request = { method: 'DELETE', headers: { 'content-type': type } }
    const { status, body } = await ask(`${server.url}/admin/connections/x`, request)
    expect({ status, body }).toEqual({ status: 404, body: expect.stringContaining('There is no connection') })
  },
)

test('an expectation that nobody knows is a problem like others', async () => {
  const { status, headers, body } = await ask(`${server.url}/events`, { headers: { expect: 'a-miracle' } })
  expect({ status, type: headers['content-type'] }).toEqual({ status: 417, type: 'application/problem+json' })
  expect(JSON.parse(body)).toMatchObject({
    title: 'Expectation Failed',
    detail: expect.stringContaining('"a-miracle"'),
  })
})

test('a connection without a request is kept for longer than a load balancer keeps its own, which is 60 s', async () => {
  // One that the hub closes as a proxy sends on it again is a 502 to the proxy's client.
  const { headers } = await ask(`${server.url}/health/live`, { headers: { connection: 'keep-alive' } })
  expect(headers['keep-alive']).toBe('timeout=75')
})
