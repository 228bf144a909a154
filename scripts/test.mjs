// `npm test`: installs what is needed, runs every test on Node 24, and ends with one plain line of totals.
// Arguments go to vitest: `npm test -- packages/protocol`, `npm test -- -t 'keeps its position'`.
import { ensureInstalled, messageOf } from './ensure-install.mjs'
import { ensureTools } from './ensure-tools.mjs'
import { runVitest } from './run-vitest.mjs'
import { skippedLines, summarise, totalsLine } from './test-summary.mjs'

const args = process.argv.slice(2)
const summary = await run()
// Tests that a name filter leaves out are not news.
const filtered = args.some((arg) => arg.startsWith('-t') || arg.startsWith('--testNamePattern'))
if (!filtered) for (const line of skippedLines(summary)) console.log(line)
console.log(totalsLine(summary))
process.exitCode = summary.failed > 0 ? 1 : 0

async function run() {
  try {
    await ensureInstalled()
  } catch (error) {
    console.error(`millrace: ${messageOf(error)}`)
    return summarise(undefined, 1)
  }
  ensureTools(['chromium', 'firefox', 'C compiler'])
  return runVitest(args)
}
