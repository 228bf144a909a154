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
])('%s by %s is answered with all that is allowed there', async (path, method, allowed) => {
  const { status, headers } = await ask(`${server.url}${path}`, { method })
  expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: allowed })
})
