/**
 * What a number may look like that JSON.parse and JSON.stringify would write otherwise: 16 digits or more, an exponent, a
 * zero at the end of a fraction, a small fraction, minus zero. It may find one where there is none, inside a string. To
 * look costs about as much as JSON.parse; a reviver, forty times as much.
 */
const MAY_CHANGE = /\d(?:[\d.]{15}|[eE][+-]?\d+[\s,\]}]|\.\d*0[\s,\]}]|\.0{6})|-0[\s,\]}]/

/** JSON.parse source text access, of Node 22 on, which the compiler's library does not declare yet. */
interface SourceTextJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  /** A value that JSON.stringify writes as the text is. */
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
const json = JSON as unknown as SourceTextJson

/**
 * Parses JSON so that JSON.stringify writes each number as it came, where it would be rounded or written in another way.
 * Such a number is an object, see {@link isExactNumber}; all others are numbers.
 *
 * @throws SyntaxError where JSON.parse does
 * @throws RangeError when such a number is nested too deeply to be found
 */
export function parseExact(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return MAY_CHANGE.test(text) ? json.parse(text, keepNumber) : value
}

/** Whether a value stands for a number that was kept as it came. */
export function isExactNumber(value: unknown): boolean {
  return json.isRawJSON(value)
}

function keepNumber(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value
}
