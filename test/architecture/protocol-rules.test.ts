import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findUnprovenRules } from './protocol-rules.ts'
import { readWorkspace } from './workspace.ts'

const document = new URL('../../docs/protocol.md', import.meta.url)

test.skipIf(!existsSync(document))('every rule of docs/protocol.md has an id that a test cites', () => {
  const { files } = readWorkspace()
  const proofs = [...files].filter(([path]) => isProof(path))
  expect(findUnprovenRules(readFileSync(document, 'utf8'), new Map(proofs))).toEqual([])
})

/** Tests, and the suites that are published for others to run. */
function isProof(path: string): boolean {
  if (path.startsWith('test/architecture/')) return false
  return /^(packages\/[^/]+\/test|packages\/conformance\/src|test)\//.test(path)
}

describe('the checker', () => {
  const rules = 'An id [ID-1] MUST be printable.\nA stream [ST-1] MUST start with retry.\n'

  test('is content when each id is cited', () => {
    const tests = new Map([['a.test.ts', `test('an id is printable [ID-1]'); test('retry comes first [ST-1]')`]])
    expect(findUnprovenRules(rules, tests)).toEqual([])
  })

  test('finds a rule that no test cites', () => {
    const tests = new Map([['a.test.ts', `test('an id is printable [ID-1]'); test('ST-1')`]])
    expect(findUnprovenRules(rules, tests)).toEqual(['no test cites [ST-1]'])
  })

  test('finds a MUST without an id, an id stated twice, and a citation of nothing', () => {
    const text = `${rules}[ID-1] again.\nTopics MUST be short.\n`
    const tests = new Map([['a.test.ts', '[ID-1] [ST-1] [ST-2]']])
    expect(findUnprovenRules(text, tests)).toEqual([
      '[ID-1] is stated twice',
      'line 4 has a MUST and no id: Topics MUST be short.',
      'a.test.ts cites [ST-2], which is not there',
    ])
  })
})
