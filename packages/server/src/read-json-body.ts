import { HubError } from './hub-error.ts'
import { shown } from './shown.ts'
import type { StreamRequest } from './stream-request.ts'

/** The largest body that asks for topics: a hundred of them have 26 KB. */
const MAX_BODY_BYTES = 256 * 1024

/** A body that cannot be read as what it should be. */
export class BodyFault extends Error {
  override readonly name = 'BodyFault'
  readonly status: 413 | 415
  constructor(status: 413 | 415, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * The object that is the body of a request. `example` is one, for who has sent something else.
 *
 * @throws BodyFault; HubError `invalid_request`
 */
export async function readJsonBody(
  request: Pick<StreamRequest, 'header' | 'body'>,
  example: string,
): Promise<Readonly<Record<string, unknown>>> {
  const type = request.header('content-type')
  if (!/^application\/json\s*(?:;|$)/i.test(type ?? '')) {
    const what = type === undefined ? 'missing' : shown(type)
    throw new BodyFault(415, `Content-Type is ${what}; it must be application/json.`)
  }
  const bytes = await request.body(MAX_BODY_BYTES).catch(notWhole)
  if (!bytes) {
    throw new BodyFault(413, `The body has more than ${MAX_BODY_BYTES} bytes. Ask for patterns instead of many topics.`)
  }
  const value = parse(bytes, example, request.header('content-encoding'))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new HubError('invalid_request', `The body is ${shown(value)}; it must be an object such as ${example}.`)
}

/** Its sender has left, which is no fault of the server's. */
function notWhole(cause: unknown): never {
  throw new HubError('invalid_request', 'The body has ended before it was whole. Send all of it.', { cause })
}

/** A framework may have decompressed what the header says is compressed: so only what cannot be read is judged by it. */
function parse(bytes: Uint8Array, example: string, coding: string | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      throw new BodyFault(415, `Content-Encoding is ${shown(coding)}. Send the body as it is.`)
    }
    const message = `The body is not JSON in UTF-8. Send an object such as ${example}.`
    throw new HubError('invalid_request', message, { cause: error })
  }
}
