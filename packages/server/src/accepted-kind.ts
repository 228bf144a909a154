/** What a client that subscribes wants to have: a stream, or one answer as JSON. */
export type AcceptedKind = 'stream' | 'json'

interface Wish {
  /** How much it is wanted, 0 to 1. */
  readonly quality: number
  /** 2: by its own name, 1: by `type/*`, 0: by a wildcard for everything. */
  readonly precision: number
}

const NONE: Wish = { quality: 0, precision: 0 }

/**
 * Reads `Accept` (RFC 9110, 12.5.1). Without it, and where both are as welcome, a stream; what is named wins over what
 * only a wildcard lets in. Undefined: neither is wanted.
 */
export function acceptedKind(accept: string | undefined): AcceptedKind | undefined {
  if (!accept?.trim()) return 'stream'
  const wishes = new Map<string, number>()
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim())
    const quality = parameters.find((text) => /^q\s*=/.test(text))?.replace(/^q\s*=\s*/, '')
    wishes.set(type, quality === undefined ? 1 : Number(quality) || 0)
  }
  const stream = wishFor('text', 'event-stream', wishes)
  const json = wishFor('application', 'json', wishes)
  if (stream.quality === 0 && json.quality === 0) return undefined
  if (json.quality !== stream.quality) return json.quality > stream.quality ? 'json' : 'stream'
  return json.precision > stream.precision ? 'json' : 'stream'
}

function wishFor(type: string, subtype: string, wishes: ReadonlyMap<string, number>): Wish {
  for (const [name, precision] of [
    [`${type}/${subtype}`, 2],
    [`${type}/*`, 1],
    ['*/*', 0],
  ] as const) {
    const quality = wishes.get(name)
    if (quality !== undefined) return { quality, precision }
  }
  return NONE
}
