import type { ConformanceCase } from '../../src/index.ts'

/** The one case whose name begins so. */
export function caseOf(suite: readonly ConformanceCase[], start: string): ConformanceCase {
  const [found, ...others] = suite.filter(({ name }) => name.startsWith(start))
  if (!found || others.length > 0) throw new Error(`${others.length + (found ? 1 : 0)} cases begin with "${start}"`)
  return found
}
