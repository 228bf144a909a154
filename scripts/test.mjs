// `npm test`: installs what is needed, runs every test on Node 24, and ends with one plain line of totals.
// Arguments go to vitest: `npm test -- packages/protocol`, `npm test -- -t 'keeps its position'`.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { ensureInstalled, messageOf, projectNode, root } from './ensure-install.mjs'
import { ensureTools } from './ensure-tools.mjs'
import { skippedLines, summarise, totalsLine } from './test-summary.mjs'

const args = process.argv.slice(2)

try {
  await ensureInstalled()
} catch (error) {
  console.error(`millrace: ${messageOf(error)}`)
  console.log(totalsLine({ passed: 0, failed: 1, skipped: [] }))
  process.exit(1)
}
ensureTools(['chromium', 'firefox', 'C compiler'])

const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
const reportFile = join(folder, 'report.json')
const code = await runVitest()
const summary = summarise(readReport(), code)
rmSync(folder, { recursive: true, force: true })

// Tests that a name filter leaves out are not news.
const filtered = args.some((arg) => arg.startsWith('-t') || arg.startsWith('--testNamePattern'))
if (!filtered) for (const line of skippedLines(summary)) console.log(line)
console.log(totalsLine(summary))
process.exitCode = summary.failed > 0 ? 1 : 0

/** @returns {Promise<number>} the exit code; a death by signal counts as 1 */
function runVitest() {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const child = spawn(projectNode, [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${dirname(projectNode)}${delimiter}${process.env.PATH ?? ''}` },
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`millrace: vitest did not start: ${error.message}`)
      resolve(1)
    })
    child.on('close', (exitCode) => resolve(exitCode ?? 1))
  })
}

function readReport() {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8'))
  } catch {
    return undefined
  }
}
