import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fileLimitWarnings } from '../src/command/file-limit.ts'

const limits = (soft: string): string => `Limit                     Soft Limit           Hard Limit           Units     
Max processes             63221                63221                processes 
Max open files            ${soft.padEnd(20)} 1048576              files     
`

test.each(['4096', '20000', 'unlimited'])('%s open files are enough', (soft) => {
  expect(fileLimitWarnings(() => limits(soft))).toEqual([])
})

test.each([
  ['4095', 4063],
  ['1024', 992],
  ['16', 0],
])('%s open files are said to be enough for %d clients', (soft, clients) => {
  expect(fileLimitWarnings(() => limits(soft))).toEqual([
    expect.stringMatching(new RegExp(` ${soft} files .* ${clients} clients\\. .*ulimit.*LimitNOFILE=`)),
  ])
})

test('where the limit is not known nothing is said', () => {
  expect(fileLimitWarnings(() => '')).toEqual([])
})

test.runIf(process.platform === 'linux').each([
  ['-n 600', /^millrace: This process may have 600 files open[^\n]*\n/],
  // A soft limit alone is not one: Node raises it.
  ['-Sn 600', /^millrace: 192\.0\.2\.1 is not an address/],
])('the command under ulimit %s', (limit, firstLine) => {
  const bin = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))
  const program = `ulimit ${limit} && exec "$0" "$1" serve --log memory: --port 1 --insecure --host 192.0.2.1`
  const { stderr } = spawnSync('sh', ['-c', program, process.execPath, bin], { encoding: 'utf8' })
  expect(stderr).toMatch(firstLine)
})
