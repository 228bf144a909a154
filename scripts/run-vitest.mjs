import { fork } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { projectNode, root } from './ensure-install.mjs'
import { crashedFiles, summarise, withSecondRun } from './test-summary.mjs'

/** @import { Report, Summary } from './test-summary.mjs' */

/**
 * Runs vitest, on Node 24. A file whose process fell over a fault of Node itself runs once more, and this is said.
 *
 * @param {readonly string[]} args vitest's own
 * @param {'inherit' | 'ignore'} [output] what becomes of vitest's words
 * @returns {Promise<Summary>} never rejects: a run that did not come to an end is a failure
 */
export async function runVitest(args, output = 'inherit') {
  const first = await runOnce(args, output)
  const files = crashedFiles(first.report)
  if (!first.report || files.length === 0) return summarise(first.report, first.exitCode)
  console.error(`\nNode itself crashed in these files, which now run once more:\n  ${files.join('\n  ')}\n`)
  const second = await runOnce([...args, ...files], output)
  const report = second.report && withSecondRun(first.report, files, second.report)
  return summarise(report, second.exitCode)
}

/**
 * @param {readonly string[]} args
 * @param {'inherit' | 'ignore'} output
 * @returns {Promise<{ report?: Report | undefined, exitCode: number }>}
 */
function runOnce(args, output) {
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
      resolve({ exitCode: 1 })
    })
    child.on('close', (exitCode) => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve({ report, exitCode: exitCode ?? 1 })
    })
  })
}
