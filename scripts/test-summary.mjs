// The totals that `npm test` ends with. Whatever is not a clean run of at least one test counts as a failure:
// a crash, a file that does not load, an error outside of any test, no tests at all.

/**
 * @typedef {object} Report what the reporter saw
 * @property {{ file: string, name: string, state: 'passed' | 'failed' | 'skipped' | 'pending' }[]} tests
 * @property {number} brokenFileCount files with an error outside of their tests
 * @property {string[]} strayErrors errors outside of any file
 *
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed 0 only when the run was clean
 * @property {string[]} skipped their names
 */

/**
 * @param {Report | undefined} report undefined when vitest ended without one
 * @param {number} exitCode vitest's
 * @returns {Summary}
 */
export function summarise(report, exitCode) {
  /** @type {Summary} */
  const summary = { passed: 0, failed: 0, skipped: [] }
  for (const { name, state } of report?.tests ?? []) {
    if (state === 'passed') summary.passed += 1
    else if (state === 'skipped') summary.skipped.push(name)
    // A test that is still pending at the end of the run has not passed.
    else summary.failed += 1
  }
  summary.failed += (report?.brokenFileCount ?? 0) + (report?.strayErrors.length ?? 0)
  const ranNone = summary.passed === 0
  if (summary.failed === 0 && (exitCode !== 0 || ranNone)) summary.failed = 1
  return summary
}

/** What ends a process when its runtime itself is at fault: a program of JavaScript cannot. */
const crash = /exited unexpectedly with signal SIG(?:BUS|ILL|SEGV|TRAP)\b.* while running test file (\S.*)$/

/**
 * The files whose process was ended by a fault of the runtime, when nothing else is wrong with the run.
 *
 * @param {Report | undefined} report
 * @returns {string[]} empty: none, or the run failed anyway
 */
export function crashedFiles(report) {
  if (!report || report.brokenFileCount > 0) return []
  const files = report.strayErrors.map((error) => crash.exec(error)?.[1] ?? '')
  const isLost = report.tests.every(({ file, state }) => state !== 'failed' || files.includes(file))
  return isLost && files.every((file) => file !== '') ? [...new Set(files)] : []
}

/**
 * @param {Report} first
 * @param {readonly string[]} files those that ran again
 * @param {Report} second
 * @returns {Report} of the whole
 */
export function withSecondRun(first, files, second) {
  // With filters, vitest runs what these name once more too.
  const again = new Set([...files, ...second.tests.map(({ file }) => file)])
  return { ...second, tests: [...first.tests.filter(({ file }) => !again.has(file)), ...second.tests] }
}

/**
 * @param {Summary} summary
 * @returns {string[]}
 */
export function skippedLines({ skipped }) {
  if (skipped.length === 0) return []
  return ['', `NOT RUN (${skipped.length} skipped):`, ...skipped.map((name) => `  - ${name}`)]
}

/**
 * @param {Summary} summary
 * @returns {string} for example `812 passed, 0 failed, 3 skipped`
 */
export function totalsLine({ passed, failed, skipped }) {
  const end = skipped.length === 0 ? '' : `, ${skipped.length} skipped`
  return `${passed} passed, ${failed} failed${end}`
}
