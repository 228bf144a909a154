import { expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { isLoopbackAddress, isLoopbackName, originFault } from '../src/http/open-hub-guard.ts'

test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '::1'])('%s is this machine', (name) => {
  expect(isLoopbackName(name)).toBe(true)
})

test.each(['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', ''])(
  '%s is not this machine',
  (name) => {
    expect(isLoopbackName(name)).toBe(false)
  },
)

test('a peer by IPv4 inside IPv6 is told by its IPv4 address', () => {
  expect(isLoopbackAddress('::ffff:127.0.0.1')).toBe(true)
  expect(isLoopbackAddress('::ffff:10.0.0.1')).toBe(false)
  expect(isLoopbackAddress(undefined)).toBe(false)
})

test.each([
  [{ host: 'localhost:3000' }, true],
  [{ host: '[::1]:3000' }, true],
  [{}, true],
  [{ host: 'evil.example' }, false],
  [{ host: 'localhost:3000', origin: 'http://localhost:3000' }, true],
  [{ host: 'localhost:3000', origin: 'http://localhost:4000' }, false],
  [{ host: 'localhost:3000', origin: 'null' }, false],
])('headers %j: let in is %s', (headers, isLetIn) => {
  expect(originFault(headers, defaultHubSettings) === undefined).toBe(isLetIn)
})

test('who is refused for its Host is told what to do', () => {
  const { detail } = originFault({ host: 'evil.example' }, defaultHubSettings) ?? {}
  expect(detail).toMatch(/^Host is "evil\.example"; .*"Host: localhost".*--insecure/)
})

test('an insecure hub answers to any name, but still not to pages of other origins', () => {
  const settings = { ...defaultHubSettings, insecure: true }
  expect(originFault({ host: 'hub.example' }, settings)).toBeUndefined()
  expect(originFault({ host: 'hub.example', origin: 'https://evil.example' }, settings)).toMatchObject({ status: 403 })
})
