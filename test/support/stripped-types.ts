import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = `${root}node_modules/.cache/stripped-types`

/**
 * What tests run in threads and in processes of their own, read once by a process that has no threads. Node strips types
 * by WebAssembly, each thread anew, and test processes in which hundreds of such threads came and went were now and then
 * ended by a signal (docs/decisions.md, "The workspace"). With its cache no thread has to, and a hub starts in a third of
 * the time.
 */
const MODULES = ['packages/hub/src/main.ts', 'packages/backends/sqlite/src/worker/main.ts']

/** Vitest calls it before the first test, for each project. */
export function setup(): void {
  if (process.env['NODE_COMPILE_CACHE'] === cache) return
  process.env['NODE_COMPILE_CACHE'] = cache
  const urls = MODULES.map((path) => new URL(`../../${path}`, import.meta.url).href)
  // A thread's module finds no thread around it, and throws when it has been read.
  const program = `for (const url of ${JSON.stringify(urls)}) await import(url).catch(() => {})`
  const args = [
    '--conditions=@millrace/source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    program,
  ]
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore', timeout: 60_000 })
  if (status !== 0) throw new Error(`The types of the sources could not be stripped: exit code ${status}.`)
}
