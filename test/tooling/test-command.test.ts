import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi, type MockInstance } from 'vitest'
import { runVitest } from '../../scripts/run-vitest.mjs'
import { skippedLines, summarise, totalsLine } from '../../scripts/test-summary.mjs'

describe('the totals of a run', () => {
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-run-'))
    place('vitest.config.js', 'export default {}')
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('count what passed, failed and was skipped, and name what was skipped', async () => {
    place(
      'a.test.js',
      `test('one', () => {}); describe('browser', () => { test.skip('two', () => {}) })
       test('four', ({ skip }) => skip(true, 'no Redis here'))`,
    )
    place('b.test.js', `test('three', () => { expect(1).toBe(2) })`)
    const summary = await run()
    expect(totalsLine(summary)).toBe('1 passed, 1 failed, 2 skipped')
    expect(skippedLines(summary)).toEqual([
      '',
      'NOT RUN (2 skipped):',
      '  - a.test.js > browser > two',
      '  - a.test.js > four (no Redis here)',
    ])
  })

  test('are without a failure when every test passed', async () => {
    place('good.test.js', `test('one', () => {})`)
    expect(totalsLine(await run())).toBe('1 passed, 0 failed')
  })

  test.each([
    ['a file that does not load', `test('two', () => {}); throw new Error('no')`, '1 passed, 1 failed'],
    ['an error outside of any test', `test('two', () => { Promise.reject(new Error('no')) })`, '2 passed, 1 failed'],
    ['a test process that dies', `test('two', () => { process.kill(process.pid, 'SIGKILL') })`, '1 passed, 2 failed'],
    ['a file without tests', '', '1 passed, 1 failed'],
  ])('show %s as a failure', async (_name, text, expected) => {
    place('good.test.js', `test('one', () => {})`)
    place('bad.test.js', text)
    expect(totalsLine(await run())).toBe(expected)
  })

  test('leave out a crash of Node itself when the file passes in a second run, which is said', async () => {
    const said = quiet()
    place('good.test.js', `test('one', () => {})`)
    const mark = JSON.stringify(join(folder, 'has-run'))
    const crashOnce = `if (!existsSync(${mark})) { writeFileSync(${mark}, ''); process.kill(process.pid, 'SIGSEGV') }`
    place(
      'crash.test.js',
      `import { existsSync, writeFileSync } from 'node:fs'
       test('two', () => {}); test('three', () => { ${crashOnce} })`,
    )
    expect(totalsLine(await run('test.js'))).toBe('3 passed, 0 failed')
    expect(said.mock.calls.join('\n')).toContain(join(folder, 'crash.test.js'))
  })

  test('count a crash of Node itself that comes again, and one beside a failure', async () => {
    quiet()
    place('good.test.js', `test('one', () => {})`)
    place('crash.test.js', `test('two', () => { process.kill(process.pid, 'SIGSEGV') })`)
    expect(totalsLine(await run())).toBe('1 passed, 2 failed')
    place('bad.test.js', `test('three', () => { expect(1).toBe(2) })`)
    expect(totalsLine(await run())).toBe('1 passed, 3 failed')
  })

  test.each([
    ['of skipped tests only', `test.skip('one', () => {})`, '0 passed, 1 failed, 1 skipped'],
    ['that finds no files', undefined, '0 passed, 1 failed'],
  ])('show a run %s as a failure', async (_name, text, expected) => {
    if (text !== undefined) place('a.test.js', text)
    expect(totalsLine(await run())).toBe(expected)
  })

  function quiet(): MockInstance<typeof console.error> {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => said.mockRestore())
    return said
  }

  function place(file: string, text: string): void {
    writeFileSync(join(folder, file), text)
  }

  function run(...filters: readonly string[]): ReturnType<typeof runVitest> {
    return runVitest(['--root', folder, '--globals', ...filters], 'ignore')
  }
})

test('a run that vitest ends without a report is a failure, whatever its exit code', () => {
  expect(totalsLine(summarise(undefined, 0))).toBe('0 passed, 1 failed')
})

test('a run that vitest calls failed is a failure, though every test passed', () => {
  const report = { tests: [{ file: 'a', name: 'one', state: 'passed' as const }], brokenFileCount: 0, strayErrors: [] }
  expect(totalsLine(summarise(report, 1))).toBe('1 passed, 1 failed')
  expect(totalsLine(summarise(report, 0))).toBe('1 passed, 0 failed')
})
