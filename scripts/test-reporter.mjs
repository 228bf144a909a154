// Hands what vitest found to scripts/run-vitest.mjs, over the channel that a forked process has to its parent.

/**
 * @import { Reporter, TestModule } from 'vitest/node'
 * @import { Report } from './test-summary.mjs'
 */

/** @implements {Reporter} */
export default class TestReporter {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly unknown[]} errors those outside of any test
   */
  async onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    /** @type {Report} */
    const report = {
      tests: tests.map((test) => {
        const result = test.result()
        const reason = result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : ''
        const { moduleId: file, relativeModuleId } = test.module
        return { file, name: `${relativeModuleId} > ${test.fullName}${reason}`, state: result.state }
      }),
      brokenFileCount: modules.filter((module) => module.errors().length > 0).length,
      strayErrors: errors.map((error) => causesOf(error).join(' ')),
    }
    // vitest exits after this, and a report of many tests does not fit the pipe at once.
    await new Promise((sent) => {
      process.send?.(report, sent)
    })
  }
}

/**
 * @param {unknown} error
 * @returns {string[]} its message and those of its causes
 */
function causesOf(error) {
  return error instanceof Object && 'message' in error
    ? [String(error.message), ...causesOf('cause' in error && error.cause)]
    : []
}
