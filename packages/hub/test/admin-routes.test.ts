import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../src/http/hub-server.ts'
import { ask } from './support/hub-request.ts'

let server: HubServer

beforeAll(async () => {
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0, insecure: true })
})
afterAll(() => server.close())

describe('the administration of an insecure hub', () => {
  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000'])('is there for Host: %s', async (host) => {
    const { status, body } = await ask(`${server.url}/admin/connections`, { headers: { host } })
    expect({ status, body }).toEqual({ status: 200, body: '{"connections":[]}' })
  })

  test.each([
    ['a name that was made to point here', { host: 'rebound.example' }, 'localhost'],
    ['its own address in the network', { host: '10.0.0.1:3000' }, 'localhost'],
    ['a proxy by Forwarded', { forwarded: 'for=192.0.2.1' }, 'the header forwarded'],
    ['a proxy by X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }, 'the header x-forwarded-for'],
    ['a proxy by Via', { via: '1.1 proxy' }, 'the header via'],
  ])('is not there for %s', async (_who, headers, words) => {
    for (const [method, path] of [
      ['GET', '/admin/connections'],
      ['DELETE', '/admin/connections/x'],
    ] as const) {
      const { status, body } = await ask(`${server.url}${path}`, { method, headers })
      expect(status).toBe(403)
      expect(body).toContain(words)
    }
    // All else is what --insecure is for.
    expect(await ask(`${server.url}/health/live`, { headers })).toMatchObject({ status: 200 })
  })
})
