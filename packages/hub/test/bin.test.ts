import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const command = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))
const workspace = fileURLToPath(new URL('../../..', import.meta.url))

let folder = ''
let bin = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bin-'))
  bin = join(folder, 'bin', 'millrace.js')
  place('package.json', '{ "type": "module" }')
  mkdirSync(dirname(bin))
  copyFileSync(command, bin)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('on a Node that is too old', () => {
  const olderNode = findOlderNode()

  test.skipIf(olderNode === undefined)('says which it needs and which this is, in one line', () => {
    placeMain(true)
    const { status, stdout, stderr } = spawnSync(olderNode?.path ?? '', [bin, 'serve'], { encoding: 'utf8' })
    expect(stderr).toBe(
      `millrace from a checkout needs Node 22.18 or newer; this is Node ${olderNode?.version}. ` +
        'Use "npx millrace", or put node_modules/.bin first on the PATH: it has one\n',
    )
    expect(stdout).toBe('')
    expect(status).toBe(1)
  })

  test.each([
    { version: '20.20.2', checkout: true, needs: '22.18' },
    { version: '22.17.1', checkout: true, needs: '22.18' },
    { version: '22.12.0', checkout: false, needs: '22.13' },
    { version: '9.11.2', checkout: false, needs: '22.13' },
  ])('refuses $version (checkout: $checkout)', ({ version, checkout, needs }) => {
    placeMain(checkout)
    const { status, stdout, stderr } = runAs(version)
    expect(stderr).toMatch(new RegExp(`^millrace.* needs Node ${needs} or newer; this is Node ${version}`))
    expect(stderr).toMatch(checkout ? /^[^\n]+"npx millrace"[^\n]+\n$/ : /^[^\n]+\.\d+\n$/)
    expect(stdout).toBe('')
    expect(status).toBe(1)
  })

  test.each([
    { version: '22.18.0', checkout: true },
    { version: '22.13.0', checkout: false },
    { version: '23.0.0', checkout: false },
    { version: '100.0.0', checkout: true },
  ])('starts on $version (checkout: $checkout)', ({ version, checkout }) => {
    placeMain(checkout)
    expect(runAs(version)).toMatchObject({ status: 0, stderr: '' })
  })
})

test('a checkout runs its TypeScript, and imports the sources of the other packages', () => {
  symlinkSync(join(workspace, 'node_modules'), join(folder, 'node_modules'))
  place(
    'src/main.ts',
    `import * as protocol from '@millrace/protocol'
     export async function main(args: readonly string[]): Promise<void> {
       const entry: string = import.meta.resolve('@millrace/protocol')
       console.log(JSON.stringify({ args, entry, loaded: Object.keys(protocol).length > 0 }))
     }`,
  )
  const { stdout, stderr } = run(['serve', '--port', '0'])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    args: ['serve', '--port', '0'],
    entry: expect.stringMatching(/packages\/protocol\/src\/index\.ts$/),
    loaded: true,
  })
})

test('an installed package runs what was built', () => {
  placeMain(false)
  expect(run(['tail', 'stocks.>'])).toMatchObject({ status: 0, stdout: 'built tail stocks.>\n' })
})

test('a command that fails ends with a code other than 0 and says why', () => {
  place('dist/main.js', `export const main = async () => { throw new Error('port 3000 is taken') }`)
  const { status, stderr } = run([])
  expect(stderr).toContain('port 3000 is taken')
  expect(status).not.toBe(0)
})

/** Both builds of a main that prints where it is and what it was given. */
function placeMain(checkout: boolean): void {
  place('dist/main.js', `export const main = async (args) => console.log('built', ...args)`)
  if (checkout) place('src/main.ts', `export const main = async (args: string[]) => console.log('source', ...args)`)
}

function place(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

function run(args: readonly string[], nodeArgs: readonly string[] = []): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...nodeArgs, bin, ...args], { encoding: 'utf8', env: { PATH: process.env.PATH } })
}

function runAs(version: string): SpawnSyncReturns<string> {
  const pretend = `Object.defineProperty(process, 'version', { value: 'v${version}' })`
  return run([], ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`])
}

/** The machine's own Node, where it is one that the command must refuse. */
function findOlderNode(): { path: string; version: string } | undefined {
  for (const entry of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(entry, 'node')
    if (!existsSync(path)) continue
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1)
    if (Number(version.split('.')[0]) < 22) return { path, version }
  }
  return undefined
}
