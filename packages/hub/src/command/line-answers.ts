import { ClientError } from '@millrace/client'
import type { KeyedLine } from './keyed-line.ts'
import { brokenOff, noHub, type PostFailure } from './post-events.ts'

/** What a hub has answered to lines. */
export interface LineAnswers {
  /** Of the lines that are stored, in their order. */
  readonly ids: readonly (string | null)[]
  /** Why the next one is not, if there is one. */
  readonly failure?: PostFailure
}

interface LineAnswer {
  readonly id?: string | null
  readonly error?: { readonly status: number; readonly detail: string; readonly retryAfter?: number }
}

/** Reads what a hub has answered to these lines, up to the first failure. */
export function readLineAnswers(url: URL, text: string, sent: readonly KeyedLine[]): LineAnswers {
  const texts = text.split('\n')
  const cutOff = texts.pop() ?? ''
  const ids: (string | null)[] = []
  for (const each of texts) {
    const { id, error } = read(each)
    if (error) return { ids, failure: refused(error, sent) }
    if (id === undefined || ids.length === sent.length) return { ids, failure: noHub(url) }
    ids.push(id)
  }
  if (ids.length === sent.length) return { ids }
  return { ids, failure: cutOff === '' || cutOff.startsWith('{') ? brokenOff(url) : noHub(url) }
}

function read(text: string): LineAnswer {
  try {
    return (JSON.parse(text) ?? {}) as LineAnswer
  } catch {
    return {}
  }
}

function refused(
  { status, detail, retryAfter }: NonNullable<LineAnswer['error']>,
  sent: readonly KeyedLine[],
): PostFailure {
  // The hub counts the lines of its request.
  const message = detail.replace(/^Line (\d+)/, (said, line: string) => `Line ${sent[Number(line) - 1]?.line ?? said}`)
  const retryAfterMs = retryAfter === undefined ? undefined : retryAfter * 1000
  return {
    error: new ClientError('status', message, { status, retryAfterMs }),
    isUnreached: false,
    isRefused: status < 500,
  }
}
