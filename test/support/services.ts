/**
 * What a test may need from the machine. A test that cannot have it is skipped by name:
 *
 *     describe.skipIf(!browserAvailable('chromium'))('a Chromium EventSource', () => { … })
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findTool } from '../../scripts/ensure-tools.mjs'

export type BrowserName = 'chromium' | 'firefox'
/** Other runtimes, which npm brings where there is one for the machine. */
export type RuntimeName = 'bun' | 'deno'

const probeTimeoutMs = 60_000
const probed = new Map<BrowserName, string | undefined>()

/** True when the browser is installed and starts: some distributions install a stub in its place. */
export function browserAvailable(name: BrowserName): boolean {
  return probe(name) !== undefined
}

/** The browser's executable, for a launcher's `executablePath`. Throws when there is none: ask `browserAvailable` first. */
export function browserPath(name: BrowserName): string {
  const path = probe(name)
  if (path === undefined) throw new Error(`${name} is not installed on this machine`)
  return path
}

/** True when the runtime is installed and starts. */
export function runtimeAvailable(name: RuntimeName): boolean {
  return spawnSync(runtimePath(name), ['--version'], { timeout: probeTimeoutMs }).status === 0
}

export function runtimePath(name: RuntimeName): string {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url))
}

function probe(name: BrowserName): string | undefined {
  if (!probed.has(name)) {
    const path = findTool(name)
    const starts = path !== undefined && spawnSync(path, ['--version'], { timeout: probeTimeoutMs }).status === 0
    probed.set(name, starts ? path : undefined)
  }
  return probed.get(name)
}
