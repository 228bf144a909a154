const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

interface Level {
  /** Where its value is, as a person writes it. */
  readonly path: string
  /** The keys that were there; undefined for a list. */
  readonly keys: Set<string> | undefined
  /** Of a list: the index of the value that comes. */
  index: number
  /** Of an object: the key of the value that comes; undefined where a key is next. */
  key: string | undefined
}

/** The paths of keys that are in an object twice, of text that is JSON. Of those JSON.parse takes the last in silence. */
export function duplicateKeys(text: string): readonly string[] {
  const duplicates: string[] = []
  const levels: Level[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1)
    if (token === '{' || token === '[') {
      levels.push({ path: pathIn(level), keys: token === '{' ? new Set() : undefined, index: 0, key: undefined })
    } else if (token === '}' || token === ']') levels.pop()
    else if (!level) continue
    else if (token === ',') {
      level.index++
      level.key = undefined
    } else if (level.keys && level.key === undefined) {
      level.key = JSON.parse(token) as string
      if (level.keys.has(level.key)) duplicates.push(pathIn(level))
      level.keys.add(level.key)
    }
  }
  return duplicates
}

function pathIn(level: Level | undefined): string {
  if (!level) return ''
  const { path, keys, index, key = '' } = level
  if (!keys) return `${path}[${index}]`
  return path === '' ? key : `${path}.${key}`
}
