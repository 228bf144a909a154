/** RFC 9457 problem details. */
export interface Problem {
  readonly status: number
  /** The same for every problem of this kind. */
  readonly title: string
  /** What was wrong, with the value, and what to do. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Request too slow',
  409: 'Conflict',
  413: 'Too large',
  414: 'Target too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
  431: 'Header too large',
  500: 'Internal error',
  501: 'Not implemented',
  503: 'Unavailable',
  505: 'HTTP version not supported',
}

/** A problem with the usual title of its status. */
export function problem(status: number, detail: string, headers?: Readonly<Record<string, string>>): Problem {
  return { status, title: titles[status] ?? 'Error', detail, ...(headers ? { headers } : {}) }
}

/** The media type of a problem (RFC 9457, 3). */
export const PROBLEM_TYPE = 'application/problem+json'

/** The body that tells of a problem, as JSON. */
export function problemBody({ status, title, detail }: Problem): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail })
}
