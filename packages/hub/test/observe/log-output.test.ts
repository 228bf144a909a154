import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { LogOutput } from '../../src/observe/log-output.ts'

const hasFifo = spawnSync('mkfifo', ['--version']).error === undefined

let folder = ''
let path = ''
let fd = -1

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  path = join(folder, 'log')
  fd = openSync(path, 'a')
})
afterEach(() => {
  closeSync(fd)
  rmSync(folder, { recursive: true, force: true })
})

test('lines are written in their order, whole', async () => {
  const output = new LogOutput(fd, 1_000)
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i} ü\n`)
  for (const line of lines) output.write(line)
  await expect.poll(() => readFileSync(path, 'utf8')).toBe(lines.join(''))
})

test('of a process that ends on the spot, what waits is written at once, behind what is under way', async () => {
  const output = new LogOutput(fd, 1_000)
  for (let i = 0; i < 20; i++) {
    output.write(`${i} under way\n`)
    output.write(`${i} waits\n`)
    output.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const lines = Array.from({ length: 20 }, (_, i) => `${i} under way\n${i} waits\n`)
  expect(readFileSync(path, 'utf8')).toBe(lines.join(''))
})

test('beyond the bound lines are dropped, and those that fit come', async () => {
  const output = new LogOutput(fd, 20)
  for (const line of ['first\n', 'second\n', `${'x'.repeat(20)}\n`, 'third\n']) output.write(line)
  await expect.poll(() => readFileSync(path, 'utf8')).toBe('first\nsecond\nthird\n')
})

describe.skipIf(!existsSync('/dev/full'))('on a full disk', () => {
  test('lines are dropped, and hold up no end', async () => {
    const full = openSync('/dev/full', 'a')
    onTestFinished(() => closeSync(full))
    const output = new LogOutput(full, 20)
    for (let i = 0; i < 10; i++) {
      output.write('a line of the log\n')
      await new Promise((resolve) => setImmediate(resolve))
    }
    output.write('the last\n')
    expect(() => output.flush()).not.toThrow()
  })
})

describe('at the end of a process', () => {
  test('a pipe that is full gets all that waits, in order', async () => {
    const child = start(`
      output.write('the first\\n'.repeat(100_000))
      for (let i = 0; i < 20_000; i++) output.write(i + '\\n')
      const ended = end(3, 10_000)
      console.error('it ends')
      await ended`)
    const closed = once(child, 'close')
    // Read only now: what is under way has not been taken yet.
    await once(child.stderr, 'data')
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    expect(await closed).toEqual([3, null])
    const rest = Array.from({ length: 20_000 }, (_, i) => `${i}\n`)
    // Not `toBe`, which would show all of it.
    expect(text === 'the first\n'.repeat(100_000) + rest.join('')).toBe(true)
  })

  test('a reader that takes nothing holds it up for no longer than is allowed', async () => {
    const child = start(`
      output.write('0123456789abcde\\n'.repeat(60_000))
      output.write('waits\\n')
      await end(3, 200)`)
    expect(await once(child, 'exit')).toEqual([3, null])
  })

  test('the second time that is asked for it, it takes the shorter time and the higher code', async () => {
    const child = start(`
      output.write('0123456789abcde\\n'.repeat(60_000))
      void end(0, 3_600_000)
      await end(1, 50)`)
    expect(await once(child, 'exit')).toEqual([1, null])
  })

  test.skipIf(!hasFifo)('a write that the system does not give back ends with the process', async () => {
    const fifo = join(folder, 'fifo')
    spawnSync('mkfifo', [fifo])
    // As a terminal that is stopped: open for reading as well, so that there is a reader, which takes nothing.
    const child = start(
      `output.write('x'.repeat(1_000_000)); await end(0, 50)`,
      `openSync(${JSON.stringify(fifo)}, 'r+')`,
    )
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })
})

/** Starts a program that has an `output`, and its `end`. Its standard output is not read, until somebody listens to it. */
function start(body: string, descriptor?: string): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', programOf(body, descriptor)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Its descriptor is that of Node's stream, as in the hub: a pipe then does not block. */
function programOf(body: string, descriptor = 'process.stdout.fd'): string {
  return `
    import { openSync } from 'node:fs'
    import { LogOutput } from ${source('observe/log-output.ts')}
    import { processEnd } from ${source('command/process-end.ts')}
    const output = new LogOutput(${descriptor}, 4_000_000)
    process.once('exit', () => output.flush())
    const end = processEnd(output)
    ${body}`
}

function source(file: string): string {
  return JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)
}
