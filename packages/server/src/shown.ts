/** A value as a message shows it: strings in quotes, and never longer than a line. */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** An object is only named: its own `toString` may be anything, and need not be a function. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
