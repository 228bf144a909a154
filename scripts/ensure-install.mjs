// Makes node_modules what package-lock.json says, once, so that `npm start` and `npm test` work in a fresh clone.
// Runs on the machine's own Node (20 or newer) before anything is installed: built-in modules only.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const oldestInstallerMajor = 20
const lockPollMs = 250
const lockPatienceMs = 15 * 60_000

/** The folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The Node 24 that the development dependency `node` brings; scripts and tests run on it. */
export const projectNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node')

/**
 * PATH without this checkout's own commands: `npm ci` deletes the Node among them while it works.
 *
 * @param {string} [path]
 * @returns {string}
 */
export function machinePath(path = process.env.PATH ?? '') {
  const own = join(root, 'node_modules')
  return path
    .split(delimiter)
    .filter((folder) => !folder.startsWith(own))
    .join(delimiter)
}

/**
 * Why node_modules has to be installed (again), or undefined when it is as package-lock.json says.
 * npm itself keeps what it installed in node_modules/.package-lock.json and writes that last, so a
 * half-finished installation has none.
 *
 * @param {string} [folder]
 * @returns {string | undefined}
 */
export function staleReason(folder = root) {
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return 'nothing is installed yet'
  const wanted = readPackages(join(folder, 'package-lock.json'))
  if (wanted === undefined) throw new Error('package-lock.json is missing: restore it from git')
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const present = installed[path]
    if (present === undefined && entry.optional === true) continue
    if (present === undefined) return `${path} is missing`
    if (present.version !== entry.version || present.integrity !== entry.integrity)
      return `${path} is not as package-lock.json says`
  }
  if (!existsSync(join(folder, 'node_modules', '.bin', 'node'))) return 'Node 24 is missing'
  return undefined
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined}
 */
function readPackages(file) {
  if (!existsSync(file)) return undefined
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

/** Installs when needed; a second process that asks meanwhile waits for the first. */
export async function ensureInstalled() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < oldestInstallerMajor) {
    throw new Error(
      `Node ${oldestInstallerMajor} or newer is needed to set up Millrace; this is ${process.versions.node}`,
    )
  }
  if (staleReason() === undefined) return
  const release = await takeLock(join(root, '.install.lock'))
  try {
    const reason = staleReason()
    if (reason !== undefined) install(reason)
  } finally {
    release()
  }
}

/** @param {string} reason */
function install(reason) {
  console.error(`millrace: installing the dependencies with npm ci, Node 24 among them (${reason}) …`)
  // A production environment or a user's configuration must not leave out what the tests are made of.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const env = { ...process.env, PATH: machinePath() }
  const cli = process.env.npm_execpath ?? ''
  const isNpm = /npm-cli\.c?js$/.test(cli)
  const { status, error } = spawnSync(isNpm ? 'node' : 'npm', isNpm ? [cli, ...args] : args, {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (error !== undefined || status !== 0) {
    throw new Error(`npm ci failed (${error?.message ?? `exit code ${status}`}); its own messages are above`)
  }
  if (spawnSync(projectNode, ['--version']).status !== 0) {
    throw new Error(
      'npm ci ran, but the package `node` did not bring a Node that runs: its install script must be allowed ' +
        '(is ignore-scripts set in your npm configuration?)',
    )
  }
}

/**
 * A lock file with the owner's process id. The lock of a process that is gone is taken over.
 *
 * @param {string} file
 * @returns {Promise<() => void>} gives the lock back
 */
async function takeLock(file) {
  const deadline = Date.now() + lockPatienceMs
  let told = false
  while (Date.now() < deadline) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    const owner = readOwner(file)
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(file, { force: true })
      continue
    }
    if (!told) console.error(`millrace: another process is installing the dependencies; waiting for it (${file}) …`)
    told = true
    await delay(lockPollMs)
  }
  throw new Error(`another process has held ${file} for too long; delete that file if none is installing`)
}

/**
 * @param {string} file
 * @returns {number | undefined} undefined when the file is gone or not yet written
 */
function readOwner(file) {
  try {
    const owner = Number(readFileSync(file, 'utf8'))
    return owner > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await ensureInstalled()
  } catch (error) {
    console.error(`millrace: ${messageOf(error)}`)
    process.exitCode = 1
  }
}
