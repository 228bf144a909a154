import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where promises are tested: test files, the suites that are published, and the vectors that tests run. */
const testFiles = [
  'packages/*/test/**/*.ts',
  'packages/conformance/src/**/*.ts',
  'packages/*/vectors/*.json',
  'test/**/*.ts',
]
const own = 'test/protocol-ids.test.ts'

const [built = '', notBuilt = ''] = readFileSync(`${root}/docs/protocol.md`, 'utf8').split('## Not yet built')
const promised = idsDefinedIn(built)
const announced = idsDefinedIn(notBuilt)
const cited = citations()

test('every promise of docs/protocol.md has an id of its own', () => {
  const all = [...promised, ...announced]
  expect(promised.length).toBeGreaterThan(50)
  expect(announced.length).toBeGreaterThan(0)
  expect(all).toEqual([...new Set(all)])
})

test('every promise of docs/protocol.md is cited by a test', () => {
  expect(promised.filter((id) => !cited.has(id))).toEqual([])
})

test('every id that a test cites is a promise of docs/protocol.md', () => {
  const unknown = [...cited].filter(([id]) => !promised.includes(id)).map(([id, file]) => `${id} in ${file}`)
  expect(unknown).toEqual([])
})

/** The ids that a table of promises defines: each is the first cell of its row. */
function idsDefinedIn(markdown: string): string[] {
  return Array.from(markdown.matchAll(/^\| (MR-[A-Z]+-\d+) \|/gm), (match) => match[1] ?? '')
}

/** The ids in test files, each with one file that has it. */
function citations(): Map<string, string> {
  const found = new Map<string, string>()
  for (const file of globSync(testFiles, { cwd: root })) {
    if (file === own) continue
    for (const [id] of readFileSync(`${root}/${file}`, 'utf8').matchAll(/\bMR-[A-Z]+-\d+\b/g)) found.set(id, file)
  }
  return found
}
