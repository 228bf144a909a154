// Programs that some tests drive and npm does not bring. What is missing is fetched by apt where that needs no
// question to be asked; where it cannot be had, the tests that need it skip themselves by name.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const aptTimeoutMs = 6 * 60_000
/** Asks nothing, and starts no service that a package brings: Debian does not in run level 1. */
const quietly = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }

/** Per tool: the commands that provide it, best first, and the Debian packages that bring one of them. */
export const tools = Object.freeze({
  chromium: { commands: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'], apt: 'chromium' },
  firefox: { commands: ['firefox-esr', 'firefox'], apt: 'firefox-esr' },
  'C compiler': { commands: ['gcc', 'cc'], apt: 'gcc' },
  PHP: { commands: ['php'], apt: 'php-cli php-curl' },
  Ruby: { commands: ['ruby'], apt: 'ruby' },
  nginx: { commands: ['nginx'], apt: 'nginx' },
})

/** @typedef {keyof typeof tools} ToolName */

/**
 * Where a tool is installed, or undefined.
 *
 * @param {ToolName} name
 * @returns {string | undefined}
 */
export function findTool(name) {
  for (const command of tools[name].commands) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, command)
      if (folder !== '' && isExecutable(file)) return file
    }
  }
  return undefined
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/**
 * Installs what is missing and can be had without a question.
 *
 * @param {readonly ToolName[]} names
 * @returns {void}
 */
export function ensureTools(names) {
  const missing = names.filter((name) => findTool(name) === undefined)
  if (missing.length === 0) return
  const apt = aptCommand()
  if (apt === undefined) {
    console.error(
      `millrace: no ${missing.join(', no ')} here and no apt to ask (as root): the tests that need them are skipped`,
    )
    return
  }
  console.error(`millrace: fetching ${missing.join(', ')} by apt …`)
  run(apt, ['update', '-q'])
  // One by one: a distribution that lacks one package still gives the others.
  for (const name of missing) {
    run(apt, ['install', '-y', '-q', '--no-install-recommends', ...tools[name].apt.split(' ')])
    if (findTool(name) === undefined) {
      console.error(`millrace: apt brought no ${name}: the tests that need it are skipped`)
    }
  }
}

/** apt-get as root; by sudo only on a CI machine, for a person's own machine is not changed unasked. */
function aptCommand() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return undefined
  if (process.getuid?.() === 0) return ['apt-get']
  const sudo = process.env.CI !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0
  return sudo ? ['sudo', '-n', ...Object.entries(quietly).map((each) => each.join('=')), 'apt-get'] : undefined
}

/**
 * @param {readonly string[]} apt
 * @param {readonly string[]} args
 */
function run([command = '', ...prefix], args) {
  const patience = ['-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=30', '-o', 'DPkg::Lock::Timeout=120']
  const { status, stdout, stderr } = spawnSync(command, [...prefix, ...patience, ...args], {
    env: { ...process.env, ...quietly },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: aptTimeoutMs,
  })
  if (status === 0) return
  const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n')
  console.error(`millrace: apt-get ${args.join(' ')} failed:\n${tail}`)
}
