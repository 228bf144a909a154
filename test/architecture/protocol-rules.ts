/**
 * Holds `docs/protocol.md` and the tests against each other: every MUST has an id such as `[ID-4]`, and every id is
 * cited, brackets included, by the test that would fail without it.
 */
const idPattern = /\[[A-Z]+-\d+\]/g
const obligation = /\bMUST\b/

/** One sentence for each rule without an id or a test, and for each citation of a rule that is not there. */
export function findUnprovenRules(document: string, tests: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const stated = new Set<string>()
  for (const [index, line] of document.split('\n').entries()) {
    const ids = line.match(idPattern) ?? []
    if (obligation.test(line) && ids.length === 0) found.push(`line ${index + 1} has a MUST and no id: ${line.trim()}`)
    for (const id of ids) {
      if (stated.has(id)) found.push(`${id} is stated twice`)
      stated.add(id)
    }
  }
  const cited = new Set<string>()
  for (const [path, text] of tests) {
    for (const id of text.match(idPattern) ?? []) {
      if (!stated.has(id)) found.push(`${path} cites ${id}, which is not there`)
      cited.add(id)
    }
  }
  const unproven = [...stated].filter((id) => !cited.has(id))
  return [...found, ...unproven.map((id) => `no test cites ${id}`)]
}
