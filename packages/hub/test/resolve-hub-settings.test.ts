import { expect, test } from 'vitest'
import { defaultHubSettings, startHubServer } from '../src/index.ts'
import { resolveHubSettings } from '../src/settings/resolve-hub-settings.ts'

test('what is left out, or undefined, has its default; with the demo that of the demo', () => {
  expect(resolveHubSettings({})).toEqual(defaultHubSettings)
  expect(resolveHubSettings({ port: 0, host: undefined } as object)).toEqual({ ...defaultHubSettings, port: 0 })
  expect(resolveHubSettings({ demo: true })).toMatchObject({ log: 'memory:', heartbeatMs: 5_000 })
  expect(resolveHubSettings({ demo: true, heartbeatMs: 1_000 })).toMatchObject({ heartbeatMs: 1_000 })
})

test('a hub in a program of one’s own starts with two settings', async () => {
  const server = await startHubServer({ port: 0, log: 'memory:' })
  expect((await fetch(`${server.url}/health/ready`)).status).toBe(200)
  await server.close()
})

test('everything that is wrong is refused at once, before a port or a log is opened', async () => {
  const wrong = { port: 'abc', prot: 1, log: 'redis://x', host: '0.0.0.0', heartbeatMs: 1 } as object
  await expect(startHubServer(wrong)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(
      /^(?=[^]*port is "abc"; )(?=[^]*no option "prot")(?=[^]*log is "redis:\/\/x"; )(?=[^]*An open hub does not listen on 0\.0\.0\.0: )(?=[^]*heartbeatMs is 1; )/,
    ),
  })
})
