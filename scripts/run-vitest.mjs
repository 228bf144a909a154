import { fork } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { projectNode, root } from './ensure-install.mjs'
import { summarise } from './test-summary.mjs'

/** @import { Report, Summary } from './test-summary.mjs' */

/**
 * Runs vitest once, on Node 24.
 *
 * @param {readonly string[]} args vitest's own
 * @param {'inherit' | 'ignore'} [output] what becomes of vitest's words
 * @returns {Promise<Summary>} never rejects: a run that did not come to an end is a failure
 */
export function runVitest(args, output = 'inherit') {
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts', 'test-reporter.mjs')}`]
  const env = { ...process.env, PATH: `${dirname(projectNode)}${delimiter}${process.env.PATH ?? ''}` }
  const child = fork(join(root, 'node_modules', 'vitest', 'vitest.mjs'), ['run', ...reporters, ...args], {
    cwd: root,
    execPath: projectNode,
    execArgv: [],
    env: process.stdout.isTTY ? env : { ...env, NO_COLOR: '1' },
    stdio: ['ignore', output, output, 'ipc'],
  })
  /** @type {Report | undefined} */
  let report
  child.on('message', (message) => {
    report = /** @type {Report} */ (message)
  })
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => child.kill(signal)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`millrace: vitest did not start: ${error.message}`)
      resolve(summarise(undefined, 1))
    })
    child.on('close', (exitCode) => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve(summarise(report, exitCode ?? 1))
    })
  })
}
