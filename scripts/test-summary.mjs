// Turns vitest's JSON report into the totals that `npm test` ends with. Whatever is not a clean run of at least
// one test counts as a failure: a crash, a file that does not load, an error outside of any test, no tests at all.

/**
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed never 0 unless the run was clean
 * @property {string[]} skipped their full names
 *
 * @typedef {object} Report the part of vitest's JSON report that is read
 * @property {{ status: string, assertionResults: { status: string, fullName: string }[] }[]} testResults
 */

/**
 * @param {Report | undefined} report undefined when vitest wrote none
 * @param {number} exitCode vitest's
 * @returns {Summary}
 */
export function summarise(report, exitCode) {
  /** @type {Summary} */
  const summary = { passed: 0, failed: 0, skipped: [] }
  for (const file of report?.testResults ?? []) {
    const failedBefore = summary.failed
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') summary.passed += 1
      else if (status === 'failed') summary.failed += 1
      else summary.skipped.push(fullName)
    }
    if (file.status === 'failed' && summary.failed === failedBefore) summary.failed += 1
  }
  const ranNone = summary.passed === 0 && summary.failed === 0
  if (summary.failed === 0 && (exitCode !== 0 || ranNone)) summary.failed = 1
  return summary
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
