/** What `@hono/node-server` passes as `env`, as far as it is used. */
export interface NodeObjects {
  readonly incoming: object
  readonly outgoing: { appendHeader(name: string, value: string): unknown }
}

/** A handler of `@millrace/node`, which knows what Node's objects are. */
export type NodeHandler = (incoming: never, outgoing: never) => Promise<void>

/** Node's request and response, when they can be reached. */
export function nodeObjects(env: unknown): NodeObjects | undefined {
  return isNode(env) ? env : undefined
}

function isNode(env: unknown): env is NodeObjects {
  if (typeof env !== 'object' || env === null || !('incoming' in env) || !('outgoing' in env)) return false
  const { incoming, outgoing } = env
  if (typeof incoming !== 'object' || typeof outgoing !== 'object' || outgoing === null) return false
  return 'appendHeader' in outgoing && typeof outgoing.appendHeader === 'function'
}

/** Has a handler answer on Node's objects, with the headers set so far, which would be lost; tells Hono of that. */
export async function handOver(
  { incoming, outgoing }: NodeObjects,
  headers: Headers,
  handle: NodeHandler,
): Promise<Response> {
  for (const [name, value] of headers) outgoing.appendHeader(name, value)
  // What `isNode` has seen to be Node's.
  await handle(incoming as never, outgoing as never)
  const response = new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
  // The server answers by a shortcut that knows nothing of that header, unless the body was asked for.
  void response.body
  return response
}
