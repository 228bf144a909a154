/** `connect` as a program on Node, Bun and Deno: cut off, it resumes; when its topic is finished, the process ends by itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runtimeAvailable, runtimePath } from '../support/services.ts'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { startTestHub } from './support/test-hub.ts'

const program = fileURLToPath(new URL('./support/connect-program.ts', import.meta.url))
const CONDITION = '--conditions=@millrace/source'

const DENO = ['run', CONDITION, '--allow-net', '--no-lock', '--node-modules-dir=manual', '--no-remote']

describe('on Node', () => {
  suite(() => process.execPath, [CONDITION])
})
describe.skipIf(!runtimeAvailable('bun'))('on Bun', () => {
  suite(() => runtimePath('bun'), [CONDITION])
})
describe.skipIf(!runtimeAvailable('deno'))('on Deno', () => {
  suite(() => runtimePath('deno'), DENO)
})

function suite(path: () => string, args: readonly string[]): void {
  test('resumes after a cut, and ends when its topic does', async () => {
    const hub = await startTestHub({ retryMs: 20 })
    const proxy = await startCuttingProxy({ port: hub.port, pages: {} })
    const child = spawn(path(), [...args, program, `${proxy.origin}/events`], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill())
    const exited = once(child, 'exit')
    const lines: string[] = []
    const seen = async (wanted: string): Promise<void> => {
      while (lines.at(-1) !== wanted) {
        const next = await output.next()
        if (next.done) throw new Error(`the program ended before "${wanted}": ${lines.join(', ')}`)
        lines.push(next.value)
      }
    }
    const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await seen('status open')
    await hub.publish('job', [1, 2])
    await seen('event 2')
    proxy.cutNow('rst')
    await hub.publish('job', [3])
    await seen('event 3')
    await hub.hub.publish({ topic: 'job', data: { n: 4 }, end: true })
    await seen('over')
    expect(lines.filter((line) => line.startsWith('event'))).toEqual(['event 1', 'event 2', 'event 3', 'event 4'])
    expect(lines).toContain('status waiting')
    expect(lines.at(-2)).toBe('status ended')
    expect(await exited).toEqual([0, null])
  })
}
