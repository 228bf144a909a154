import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { LogOutput } from '../../src/observe/log-output.ts'

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

test('at the end what waits is written at once', () => {
  const output = new LogOutput(fd, 1_000)
  output.write('under way\n')
  output.write('waits\n')
  output.flush()
  expect(readFileSync(path, 'utf8')).toContain('waits\n')
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

test('a pipe that is full is waited for at the end, and gets all that waits', () => {
  const program = `
    import { LogOutput } from ${JSON.stringify(new URL('../../src/observe/log-output.ts', import.meta.url).href)}
    const output = new LogOutput(1, 1_000_000)
    for (let i = 0; i < 10; i++) output.write('0123456789abcde\\n'.repeat(2_000))
    process.on('exit', () => output.flush())
    process.exit(0)`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(status).toBe(0)
  expect(stdout).toHaveLength(320_000)
})
