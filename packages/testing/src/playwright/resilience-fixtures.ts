import { startFaultServer, type FaultServer } from '../faults/fault-server.ts'
import { TestingError } from '../testing-error.ts'

/** What {@link resilienceFixtures} adds to a Playwright `test`. */
export interface ResilienceFixtures {
  /** The origin of the server that is tested, `http://127.0.0.1:3000`; set it in `use`. */
  streamServer: string | undefined
  /** A fault server before it, for one test. */
  faultProxy: FaultServer
}

/** How Playwright writes a fixture. */
export type Fixture<Needs, Value> = (needs: Needs, use: (value: Value) => Promise<void>) => Promise<void>

/**
 * Fixtures for Playwright's own runner: a fault server before `streamServer`, which is the `baseURL` of the test, so that
 * `page.goto('/')` loads the page through it.
 *
 * @example
 * const test = base.extend<ResilienceFixtures>(resilienceFixtures)
 * test.use({ streamServer: 'http://127.0.0.1:3000' })
 */
export const resilienceFixtures: {
  streamServer: [undefined, { option: true }]
  faultProxy: Fixture<Pick<ResilienceFixtures, 'streamServer'>, FaultServer>
  baseURL: Fixture<Pick<ResilienceFixtures, 'faultProxy'>, string | undefined>
} = {
  streamServer: [undefined, { option: true }],
  faultProxy: async ({ streamServer }, use) => {
    if (streamServer === undefined) {
      throw new TestingError('invalid_option', 'faultProxy has no server to stand before: set streamServer in use.')
    }
    const proxy = await startFaultServer({ upstream: streamServer })
    await use(proxy)
    await proxy.close()
  },
  baseURL: ({ faultProxy }, use) => use(faultProxy.origin),
}
