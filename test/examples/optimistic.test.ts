import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = new URL('../../examples/optimistic/', import.meta.url)

test(
  'the shared list is the same everywhere in the end, whatever was cut, lost and refused',
  { timeout: 120_000 },
  () => {
    const main = fileURLToPath(new URL('main.ts', folder))
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@millrace/source', main], {
      encoding: 'utf8',
      timeout: 110_000,
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/All devices and the server show the same list, in the same order\.\n$/)
    expect(status).toBe(0)
  },
)

test('what the README says that it prints is what it prints, figures aside', () => {
  const said = /```\n(Two devices[^`]*)```/.exec(readFileSync(new URL('README.md', folder), 'utf8'))?.[1] ?? ''
  const main = readFileSync(new URL('main.ts', folder), 'utf8')
  const printed = [...main.matchAll(/console\.log\(['`](.*)['`]\)/g)].map(([, text = '']) => text)
  const plain = (text: string): string => text.replaceAll(/\$\{[^}]*\}|\d+/g, '#')
  expect(said.trim().split('\n').map(plain)).toEqual([...printed.slice(1), printed[0] ?? ''].map(plain))
})
