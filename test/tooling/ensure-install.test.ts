import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { machinePath, projectNode, staleReason } from '../../scripts/ensure-install.mjs'

const zod = { version: '4.0.0', integrity: 'sha512-abc' }
const macOnly = { version: '1.0.0', integrity: 'sha512-def', optional: true }

describe('an installation', () => {
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-install-'))
    place('package-lock.json', { packages: { '': {}, 'node_modules/zod': zod, 'node_modules/mac-only': macOnly } })
    place('node_modules/.package-lock.json', { packages: { 'node_modules/zod': zod } })
    place('node_modules/.bin/node', {})
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is good when all that is not optional is there', () => {
    expect(staleReason(folder)).toBeUndefined()
  })

  test('is stale when nothing is installed, or npm was cut short', () => {
    rmSync(join(folder, 'node_modules/.package-lock.json'))
    expect(staleReason(folder)).toBe('nothing is installed yet')
  })

  test('is stale when a package is missing', () => {
    place('node_modules/.package-lock.json', { packages: {} })
    expect(staleReason(folder)).toBe('node_modules/zod is missing')
  })

  test.each([
    ['version', { ...zod, version: '4.0.1' }],
    ['content', { ...zod, integrity: 'sha512-xyz' }],
  ])('is stale when a package is of another %s', (_what, present) => {
    place('node_modules/.package-lock.json', { packages: { 'node_modules/zod': present } })
    expect(staleReason(folder)).toBe('node_modules/zod is not as package-lock.json says')
  })

  test('is stale when Node 24 is not there, though npm is content', () => {
    rmSync(join(folder, 'node_modules/.bin/node'))
    expect(staleReason(folder)).toBe('Node 24 is missing')
  })

  test('cannot be judged without package-lock.json', () => {
    rmSync(join(folder, 'package-lock.json'))
    expect(() => staleReason(folder)).toThrow('package-lock.json is missing')
  })

  function place(file: string, content: object): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), JSON.stringify(content))
  }
})

test('npm runs on the Node of the machine, not on the one that it is about to replace', () => {
  const path = [dirname(projectNode), '/usr/local/bin', '/usr/bin'].join(delimiter)
  expect(machinePath(path)).toBe(['/usr/local/bin', '/usr/bin'].join(delimiter))
})
