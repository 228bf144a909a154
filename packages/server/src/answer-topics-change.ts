import type { WholeAnswer } from './decide-stream.ts'
import type { Grant } from './grant.ts'
import { grantFault } from './granted.ts'
import type { Hub } from './hub.ts'
import { HubError } from './hub-error.ts'
import { nearestName } from './nearest-name.ts'
import { problem, type Problem } from './problem.ts'
import { readJsonBody } from './read-json-body.ts'
import { readSelectors } from './read-subscribe-request.ts'
import { shown } from './shown.ts'
import type { StreamRequest } from './stream-request.ts'
import type { StreamOwner, TopicsChange } from './topics-change.ts'

const NAMES = ['topics', 'revision', 'secret', 'from']
const EXAMPLE = '{"topics": ["stocks.*"], "revision": 1, "secret": "…"}'

/** The name of the stream that a path such as `/events/{connection}/topics` is of. */
export function connectionOf(path: string): string | undefined {
  return /\/([^/]+)\/topics$/.exec(path)?.[1]
}

/**
 * Changes the topics of an open stream, for whoever has opened it: what is answered then.
 *
 * @throws HubError `invalid_request`; BodyFault
 */
export async function answerTopicsChange(
  hub: Hub,
  request: StreamRequest,
  connection: string,
  grant: Grant,
): Promise<WholeAnswer | Problem> {
  const body = await readJsonBody(request, EXAMPLE)
  const unknown = Object.keys(body).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw unknownName(unknown)
  const selectors = readSelectors(textsOf(body['topics']), hub.limits.maxTopicsPerStream, grant.user)
  const fault = grantFault(grant, selectors)
  if (fault) return fault
  const revision = revisionOf(body['revision'])
  const owner = ownerOf(body['secret'], grant)
  const change: TopicsChange = { selectors, revision, from: fromOf(body['from']), owner }
  const changed = hub.changeTopics(connection, change)
  switch (changed.kind) {
    case 'changed':
      return {
        kind: 'whole',
        status: 200,
        headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
        body: JSON.stringify({ topics: selectors, revision }),
      }
    case 'gone':
      return problem(404, `There is no open stream ${shown(connection)}. Open one with the topics.`)
    case 'not-owner':
      return problem(403, 'The stream is somebody else\u2019s: give the "secret" of its stream:connected.')
    case 'stale':
      return problem(
        409,
        `Revision ${revision} is not newer than ${changed.revision}, which the stream has. Give a higher one.`,
      )
  }
}

function textsOf(topics: unknown): readonly string[] {
  if (Array.isArray(topics) && topics.every((topic) => typeof topic === 'string')) return topics
  throw invalid(`"topics" is ${given(topics)}; it must be a list of topics and patterns, such as ["stocks.*"].`)
}

function revisionOf(revision: unknown): number {
  if (typeof revision === 'number' && Number.isSafeInteger(revision) && revision >= 0) return revision
  throw invalid(`"revision" is ${given(revision)}; it must be a whole number that rises with each change.`)
}

function ownerOf(secret: unknown, { user }: Grant): StreamOwner {
  if (typeof secret === 'string') return { secret }
  if (secret !== undefined) throw invalid(`"secret" is ${shown(secret)}; it must be that of stream:connected.`)
  return user === undefined ? { secret: '' } : { user }
}

function fromOf(from: unknown): 'now' | 'snapshot' {
  if (from === undefined || from === 'now') return 'now'
  if (from === 'snapshot') return from
  throw invalid(`"from" is ${shown(from)}; use "now" or "snapshot".`)
}

function given(value: unknown): string {
  return value === undefined ? 'missing' : shown(value)
}

function unknownName(name: string): HubError {
  const near = nearestName(name, NAMES)
  return invalid(`There is no ${shown(name)} in a change of topics.${near ? ` Did you mean "${near}"?` : ''}`)
}

function invalid(message: string): HubError {
  return new HubError('invalid_request', message)
}
