import { CommandFailure } from './command-failure.ts'
import { UsageError } from './usage-error.ts'

const DEFAULT_URL = 'http://127.0.0.1:3000'

/** For the help of every command that talks to a hub. */
export const URL_HELP: string = `  --url URL        the hub                    (default MILLRACE_URL, or ${DEFAULT_URL})
`

/** Where the hub's events are: `--url`, else `MILLRACE_URL`, else the default. @throws UsageError */
export function eventsUrl(given: string | undefined, environment: Readonly<Record<string, string | undefined>>): URL {
  const text = given ?? (environment['MILLRACE_URL'] || DEFAULT_URL)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const from = given === undefined ? 'MILLRACE_URL' : '--url'
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${from} is ${JSON.stringify(withoutSecrets(text))}; it must be a URL such as ${DEFAULT_URL}.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${from} has a user name or a password, which no hub takes: leave them out.`)
  }
  url.search = ''
  url.hash = ''
  url.pathname = `${url.pathname.replace(/(?:\/events)?\/*$/, '')}/events`
  return url
}

/** What may be a password is not shown. */
function withoutSecrets(text: string): string {
  return text.replace(/[^/]*@/, '…@')
}

/** Sends a request. @throws CommandFailure that says why no hub answers, and what to do */
export async function askHub(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'error', ...init })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new CommandFailure(`${unreachable(url, error)} Start a hub with "millrace serve", or name one with --url.`, {
      cause: error,
    })
  }
}

/** Why an answer is not the one that was wanted. */
export async function refusalOf(response: Response): Promise<CommandFailure> {
  return new CommandFailure(refusalText(response, await response.text().catch(() => '')))
}

/** The problem's own words, if the answer has any (RFC 9457). */
export function refusalText({ status, url, headers }: Response, text: string): string {
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json') ?? false
  const detail = isProblem ? detailOf(text) : undefined
  return detail ?? `${url} answered ${status}, and not as a hub does. Is --url that of a Millrace hub?`
}

function detailOf(problem: string): string | undefined {
  try {
    return (JSON.parse(problem) as { detail?: string }).detail
  } catch {
    return undefined
  }
}

/** Why a hub could not be reached, in one sentence. */
export function unreachable(url: URL, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `Nobody listens at ${url.origin}.`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `There is no host ${JSON.stringify(url.hostname)}.`
  return `${url.origin} cannot be reached (${code ?? message}).`
}
