import { describe, expect, test } from 'vitest'
import { packageRules, type PackageRule } from './table.ts'
import { findViolations } from './violations.ts'
import { readWorkspace, type Manifest, type Workspace } from './workspace.ts'

test('the repository keeps to the map', () => {
  expect(findViolations(readWorkspace(), packageRules)).toEqual([])
})

test('every package has sources that were looked at', () => {
  const { files } = readWorkspace()
  for (const folder of Object.keys(packageRules)) {
    expect([...files.keys()].some((path) => path.startsWith(`packages/${folder}/src/`))).toBe(true)
  }
})

describe('the checker', () => {
  const rules: Record<string, PackageRule> = {
    base: { workspace: [], external: [], node: false, program: false },
    top: { workspace: ['base'], external: ['fastify'], node: true, program: false },
    tool: { workspace: ['base', 'top'], external: [], node: true, program: true },
  }

  test('is content with a workspace that keeps the rules', () => {
    expect(found({ 'packages/base/src/index.ts': `export * from './event.ts'` })).toEqual([])
  })

  test.each<[rule: string, path: string, text: string]>([
    ['imports @millrace/top', 'packages/base/src/a.ts', `import { x } from '@millrace/top'`],
    ['imports @millrace/top', 'packages/base/src/a.ts', `import type { X } from '@millrace/top'`],
    ['imports @millrace/top', 'packages/base/src/a.ts', `export * from '@millrace/top'`],
    ['imports @millrace/top', 'packages/base/src/a.ts', `export { x } from '@millrace/top'`],
    ['imports @millrace/top', 'packages/base/src/a.ts', `const x = await import('@millrace/top')`],
    ['imports @millrace/top', 'packages/base/src/a.ts', `let x: import('@millrace/top').X`],
    ['imports something computed', 'packages/base/src/a.ts', 'const x = await import(`./${name}.ts`)'],
    ['imports lodash', 'packages/top/src/a.ts', `import lodash from 'lodash'`],
    ['imports lodash/map', 'packages/top/src/a.ts', `import map from 'lodash/map'`],
    ['imports fastify, which is no dependency', 'packages/top/src/a.ts', `import fastify from 'fastify'`],
    ['which is no public entry', 'packages/top/src/a.ts', `import { x } from '@millrace/base/src/event.ts'`],
    ['reaches out of its package', 'packages/top/src/a.ts', `import { x } from '../../base/src/index.ts'`],
    ['reaches out of its package', 'packages/base/src/a.ts', `import { x } from '../test/fixture.ts'`],
    ['without its .ts', 'packages/base/src/a.ts', `import { x } from './event.js'`],
    ['uses node:fs, and has to run without Node', 'packages/base/src/a.ts', `import { readFile } from 'node:fs'`],
    ['uses events, and has to run without Node', 'packages/base/src/a.ts', `import { once } from 'events'`],
    ['imports fs without node:', 'packages/top/src/a.ts', `import { readFile } from 'fs'`],
    ['uses Buffer, and has to run without Node', 'packages/base/src/a.ts', `export const b = Buffer.from('x')`],
    ['uses Buffer, and has to run without Node', 'packages/base/src/a.ts', `export type B = Buffer`],
    ['uses process, and has to run without Node', 'packages/base/src/a.ts', `globalThis.process.cwd()`],
    ['uses setImmediate, and has to run', 'packages/base/src/a.ts', `setImmediate(() => {})`],
    ['uses console, which is for programs', 'packages/top/src/a.ts', `console.log(1)`],
    ['uses process.env, which is for programs', 'packages/top/src/a.ts', `export const port = process.env.PORT`],
    ['uses process.env, which is for programs', 'packages/top/src/a.ts', `export const port = process['env'].PORT`],
    ['uses process.env, which is for programs', 'packages/top/src/a.ts', `const { env } = process`],
    ['uses node:process', 'packages/top/src/a.ts', `import { env } from 'node:process'`],
    ['import cycle', 'packages/base/src/event.ts', `import './index.ts'`],
    ['import cycle', 'packages/base/src/event.ts', `export { type X } from './index.ts'`],
    ['import cycle', 'packages/base/src/event.ts', `import './event.ts'`],
    ['the folder name "utils"', 'packages/base/src/utils/a.ts', ''],
    ['the folder name "helpers"', 'test/helpers/a.ts', ''],
    ['301 lines, more than 300', 'packages/base/src/a.ts', lines(301)],
    ['501 lines, more than 500', 'packages/base/src/a.ts', excused(501)],
  ])('finds: %s', (expected, path, text) => {
    expect(found({ [path]: text })).toEqual([expect.stringContaining(expected)])
  })

  test.each<[why: string, path: string, text: string]>([
    ['a program reads its environment', 'packages/tool/src/a.ts', `console.log(process.env.PORT)`],
    ['a property may have any name', 'packages/base/src/a.ts', `export const x = { console: 1, process() {} }.console`],
    [
      'a local variable may have any name',
      'packages/base/src/a.ts',
      `export const f = (process: number) => process + 1`,
    ],
    ['a sentence is no import', 'packages/base/src/a.ts', `export const text = "import x from 'node:fs'"`],
    ['types may name each other', 'packages/base/src/event.ts', `import type { X } from './index.ts'`],
    ['500 lines that say why', 'packages/base/src/a.ts', excused(500)],
    ['300 lines', 'packages/base/src/a.ts', lines(300)],
  ])('lets pass: %s', (_why, path, text) => {
    expect(found({ [path]: text })).toEqual([])
  })

  test.each<[rule: string, change: Partial<Manifest>, references?: string[]]>([
    ['the name is millrace-base', { name: 'millrace-base' }],
    ['depends on left-pad', { dependencies: { 'left-pad': '^1.0.0' } }],
    ['depends on @millrace/top', { dependencies: { '@millrace/top': '1.0.0' } }, ['top']],
    ['does not name @millrace/source first', { exports: { '.': { default: './dist/index.js' } } }],
    ['does not name @millrace/source first', { exports: { '.': './dist/index.js' } }],
    ['refers to [top], and the package depends on []', {}, ['top']],
  ])('finds in a manifest: %s', (expected, change, references = []) => {
    expect(foundWith(change, references)).toEqual([expect.stringContaining(expected)])
  })

  test('finds a package of another version', () => {
    const { packages, files } = workspace({})
    const other = packages.map((pkg) =>
      pkg.folder === 'base' ? { ...pkg, manifest: { ...pkg.manifest, version: '2.0.0' } } : pkg,
    )
    const expected = expect.stringContaining('asks for @millrace/base 1.0.0, which is at 2.0.0')
    expect(findViolations({ packages: other, files }, rules)).toEqual([expected, expected])
  })

  test('finds a package that is not in the table, and an entry without its package', () => {
    const { base, ...fewer } = rules
    expect(findViolations(workspace({}), fewer)).toContain('packages/base is not in the table')
    const more = { ...rules, client: base! }
    expect(findViolations(workspace({}), more)).toEqual(['the table has client, and packages/client does not exist'])
  })

  function found(files: Record<string, string>): string[] {
    return findViolations(workspace(files), rules)
  }

  function foundWith(change: Partial<Manifest>, references: string[]): string[] {
    const { packages, files } = workspace({})
    const changed = packages.map((pkg) =>
      pkg.folder === 'base' ? { ...pkg, references, manifest: { ...pkg.manifest, ...change } } : pkg,
    )
    return findViolations({ packages: changed, files }, rules)
  }
})

/** Three packages that keep the rules, and the files given. */
function workspace(files: Record<string, string>): Workspace {
  const sources = {
    'packages/base/src/index.ts': `export { event } from './event.ts'`,
    'packages/base/src/event.ts': `export const event = 1`,
    'packages/top/src/index.ts': `import { event } from '@millrace/base'\nimport { once } from 'node:events'`,
  }
  return {
    packages: [
      { folder: 'base', references: [], manifest: manifest('base', []) },
      { folder: 'top', references: ['base'], manifest: manifest('top', ['base']) },
      { folder: 'tool', references: ['base', 'top'], manifest: manifest('tool', ['base', 'top']) },
    ],
    files: new Map(Object.entries({ ...sources, ...files })),
  }
}

function manifest(folder: string, dependencies: readonly string[]): Manifest {
  return {
    name: `@millrace/${folder}`,
    version: '1.0.0',
    exports: { '.': { '@millrace/source': './src/index.ts', default: './dist/index.js' } },
    dependencies: Object.fromEntries(dependencies.map((name) => [`@millrace/${name}`, '1.0.0'])),
  }
}

function lines(count: number): string {
  return 'export {}\n'.repeat(count)
}

function excused(count: number): string {
  return `// More than 300 lines: it is one table.\n${lines(count - 1)}`
}
