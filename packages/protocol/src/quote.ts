const MAX_SHOWN_LENGTH = 64

/** A value as messages show it: in quotes, on one line, cut when it is long. */
export function quote(value: unknown): string {
  const text = String(value)
  return JSON.stringify(text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text)
}
