import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../../scripts/ensure-install.mjs'
import { packageFaults } from '../../scripts/package-faults.mjs'
import { entriesOf, publishedPackages, type PublishedPackage } from '../../scripts/packages.mjs'

const manifest = {
  name: '@millrace/sound',
  version: '1.0.0',
  description: 'A package that lacks nothing',
  keywords: ['server-sent-events'],
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  files: ['dist', '!dist/.tsbuildinfo'],
  engines: { node: '>=22.13' },
}

/** A package in a folder of its own, with the files that each has. */
function sound(changes: Partial<PublishedPackage['manifest']> = {}): PublishedPackage {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const file of ['LICENSE', 'README.md']) cpSync(join(root, file), join(folder, file))
  return { folder, manifest: { ...manifest, ...changes } }
}

test('a sound package has no fault', () => {
  expect(packageFaults([sound(), sound()])).toEqual([])
})

test.each([
  [{ description: 'short' }, 'has a description'],
  [{ keywords: ['sse'] }, 'has keywords'],
  [{ license: 'ISC' }, 'has the license MIT'],
  [{ type: 'commonjs' }, 'is of the type'],
  [{ private: true }, 'is not private'],
  [{ files: ['dist'] }, 'leaves the record of the compiler out'],
  [{ engines: {} }, 'says which Node it needs'],
])('a manifest with %j is told of', (changes, rule) => {
  expect(packageFaults([sound(changes)])).toEqual([expect.stringMatching(`^@millrace/sound: .* that it ${rule}`)])
})

test('a README or a licence that is missing, and another licence, are told of', () => {
  const bare = sound()
  rmSync(join(bare.folder, 'README.md'))
  rmSync(join(bare.folder, 'LICENSE'))
  const other = sound()
  cpSync(join(root, 'README.md'), join(other.folder, 'LICENSE'))
  expect(packageFaults([bare, other])).toEqual([
    '@millrace/sound: there is no README.md',
    '@millrace/sound: LICENSE is not that of the workspace; copy it',
    '@millrace/sound: LICENSE is not that of the workspace; copy it',
  ])
})

test('packages of different versions are told of', () => {
  expect(packageFaults([sound(), sound({ version: '1.0.1' })])).toEqual([
    'the versions differ (1.0.0, 1.0.1); packages go together',
  ])
})

test('the packages of the workspace are found, with those in groups, and their entries', () => {
  const found = publishedPackages().map((each) => each.manifest)
  expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['@millrace/server', '@millrace/fastify']))
  const server = found.find(({ name }) => name === '@millrace/server')
  expect(server && entriesOf(server)).toEqual(['@millrace/server', '@millrace/server/log-parts'])
})
