// `npm run check:packages`, after `npm run build`: packs every package as it would be published, looks at each tarball with
// publint and attw, weighs it, and uses all of them in an empty project, from JavaScript and from TypeScript.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { projectNode, root } from './ensure-install.mjs'
import { packageFaults } from './package-faults.mjs'
import { publishedPackages } from './packages.mjs'

/** The most that a tarball may weigh, in KiB: what gets into it by accident is found. */
const budgetsKib = new Map([
  ['@millrace/client', 200],
  ['@millrace/conformance', 250],
  ['@millrace/hub', 400],
  ['@millrace/server', 400],
  ['@millrace/sqlite', 200],
])
const defaultBudgetKib = 100

/** What the empty project has besides, at the version of this workspace. */
const others = ['@types/node', '@types/react', 'fastify', 'hono', 'react', 'typescript']

const dom = ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable']

const node = { lib: ['es2024'], types: ['node'] }

/** How the types are looked at: each with nothing but what it says. */
const compilations = [
  { files: ['node.ts', 'client.ts'], module: 'nodenext', moduleResolution: 'nodenext', ...node },
  { files: ['node.ts', 'client.ts'], module: 'esnext', moduleResolution: 'bundler', ...node },
  { files: ['web.ts', 'client.ts'], module: 'esnext', moduleResolution: 'bundler', lib: dom, types: [] },
  {
    files: ['web.ts', 'client.ts'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2024', 'webworker'],
    types: [],
  },
  { files: ['web.ts', 'client.ts'], module: 'nodenext', moduleResolution: 'nodenext', lib: dom, types: ['node'] },
]

const bin = dirname(projectNode)
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
const packages = publishedPackages()
const folder = mkdtempSync(join(tmpdir(), 'millrace-packages-'))
try {
  const faults = packageFaults(packages)
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const tarballs = await pack()
  // Both to their end: what one of them still works with must not be taken away.
  const outcomes = await Promise.allSettled([lintAll(tarballs), use(tarballs)])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/**
 * Packs all packages at once.
 *
 * @returns {Promise<Map<string, string>>} the tarball of each, by name
 */
async function pack() {
  const folders = packages.map((each) => each.folder)
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, ...folders], root)
  const tarballs = new Map(packages.map(({ manifest }) => [manifest.name, join(folder, tarballName(manifest))]))
  for (const [name, path] of tarballs) {
    const kib = Math.ceil(statSync(path).size / 1024)
    const budgetKib = budgetsKib.get(name) ?? defaultBudgetKib
    if (kib > budgetKib) throw new Error(`${name} weighs ${kib} KiB, more than ${budgetKib}: look at what is in it`)
    console.log(`ok  ${name} is packed: ${kib} of ${budgetKib} KiB`)
  }
  return tarballs
}

/**
 * @param {{ name: string, version: string }} manifest
 * @returns {string}
 */
function tarballName({ name, version }) {
  return `${name.slice(1).replace('/', '-')}-${version}.tgz`
}

/** @param {Map<string, string>} tarballs */
async function lintAll(tarballs) {
  const { publint } = await import('publint')
  const { formatMessage } = await import('publint/utils')
  for (const { manifest } of packages) {
    const tarball = tarballs.get(manifest.name) ?? ''
    const bytes = readFileSync(tarball)
    const { messages } = await publint({ strict: true, pack: { tarball: new Uint8Array(bytes).buffer } })
    const told = messages.map((message) =>
      formatMessage(message, JSON.parse(JSON.stringify(manifest)), { color: false }),
    )
    if (told.length > 0) throw new Error(`publint finds in ${manifest.name}:\n${told.join('\n')}`)
    await run('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'], root)
    console.log(`ok  ${manifest.name} is sound for publint and attw`)
  }
}

/**
 * Installs all tarballs where there is nothing, and uses them there.
 *
 * @param {Map<string, string>} tarballs
 */
async function use(tarballs) {
  const project = join(folder, 'project')
  cpSync(join(root, 'test/packages/consumer'), project, { recursive: true })
  const dependencies = {
    ...Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`])),
    ...Object.fromEntries(others.map((name) => [name, installedVersion(name)])),
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'], project)
  await run(projectNode, ['use.js'], project)
  await run(projectNode, ['node_modules/.bin/millrace', '--version'], project)
  console.log('ok  installed in an empty project, and used from JavaScript')
  for (const compilation of compilations) await compile(project, compilation)
}

/**
 * @param {string} project
 * @param {typeof compilations[number]} compilation
 */
async function compile(project, { files, ...options }) {
  const compilerOptions = {
    ...options,
    target: 'es2024',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  await run(projectNode, ['node_modules/typescript/bin/tsc', '-p', '.'], project)
  console.log(
    `ok  ${files.join(' and ')} compile with ${options.moduleResolution} and ${[...options.lib, ...options.types].join(', ')}`,
  )
}

/** @param {string} name */
function installedVersion(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<void>}
 */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}
