/** RFC 9457 problem details. */
export interface Problem {
  readonly status: number
  /** The same for every problem of this kind. */
  readonly title: string
  /** What was wrong, with the value, and what to do. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

/** As RFC 9110, 15 and RFC 6585 name them, which RFC 9457, 4.2.1 wants of problems without a type of their own. */
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
}

/** A problem whose title is the phrase of its status. */
export function problem(status: number, detail: string, headers?: Readonly<Record<string, string>>): Problem {
  return { status, title: titles[status] ?? 'Error', detail, ...(headers ? { headers } : {}) }
}

/** The media type of a problem (RFC 9457, 3). */
export const PROBLEM_TYPE = 'application/problem+json'

/** The body that tells of a problem, as JSON. */
export function problemBody({ status, title, detail }: Problem): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail })
}
