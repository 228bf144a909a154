/** A JSON Schema of the dialect of OpenAPI 3.1: draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>

export const text: Schema = { type: 'string' }
export const count: Schema = { type: 'integer', minimum: 0 }
const time: Schema = { type: 'string', format: 'date-time' }
const counts: Schema = { type: 'object', additionalProperties: count }

export function ref(name: SchemaName): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

export function nullable(type: string, rest: Schema = {}): Schema {
  return { type: [type, 'null'], ...rest }
}

export function listOf(items: Schema, rest: Schema = {}): Schema {
  return { type: 'array', items, ...rest }
}

/** An object with these properties and no others; all are there but those that are named. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

type SchemaName =
  | 'EventId'
  | 'Topic'
  | 'Event'
  | 'PolledEvent'
  | 'Problem'
  | 'Published'
  | 'Connection'
  | 'TopicReport'
  | 'Stats'

export const schemas: Readonly<Record<SchemaName, Schema>> = {
  EventId: {
    type: 'string',
    description: 'A place in the log. To be given back as it came; nothing may be read out of it.',
    examples: ['k3f9z2-1042-x7q'],
    maxLength: 128,
  },
  Topic: {
    type: 'string',
    description:
      '1 to 16 non-empty segments joined by dots, at most 256 bytes of UTF-8, without space, comma, control character, * and >; or @ and a user id, percent-encoded: that user’s own.',
    examples: ['stocks.AAPL', '@alice'],
  },
  Event: object(
    {
      topic: { $ref: '#/components/schemas/Topic' },
      data: { description: 'A string goes as it is, any other value as JSON.' },
      type: { type: 'string', description: 'The SSE event type; not stream:…, open, error.', default: 'message' },
      key: { type: 'string', description: 'What a state topic keeps the newest of.' },
      ephemeral: { type: 'boolean', description: 'Only to those who are live now; no id.', default: false },
      dedupeKey: {
        type: 'string',
        description:
          'The same key from the same publisher within dedupeWindowMs publishes nothing and answers with the first id.',
      },
      except: { type: 'string', description: 'The client name that is not sent this event.' },
      end: { type: 'boolean', description: 'The topic is finished after this event.', default: false },
    },
    ['type', 'key', 'ephemeral', 'dedupeKey', 'except', 'end'],
  ),
  PolledEvent: object(
    {
      id: nullable('string', { description: 'Null for what vouches for no place in the log.' }),
      topic: text,
      type: {
        type: 'string',
        description: '`stream:end`: of an event that the request leaves out, only that the topic is finished.',
      },
      time,
      data: { description: 'The value that was published.' },
      key: text,
      end: { const: true, description: 'The topic is finished.' },
    },
    ['key', 'end'],
  ),
  Problem: {
    type: 'object',
    description: 'RFC 9457. `detail` says what was wrong, with the value, and what to do.',
    properties: { type: text, title: text, status: { type: 'integer' }, detail: text },
    required: ['title', 'status', 'detail'],
  },
  Published: object({
    ids: listOf(nullable('string'), { description: 'In the order of the events; null for ephemeral ones.' }),
  }),
  Connection: object({
    id: text,
    protocol: { enum: ['http/1.0', 'http/1.1', 'h2', 'fetch', 'other'] },
    peer: nullable('string'),
    state: { enum: ['catching-up', 'live', 'closing', 'closed'] },
    reason: nullable('string'),
    uptimeMs: count,
    topics: listOf(text),
    types: listOf(text),
    events: count,
    bytes: count,
    bufferedBytes: count,
    position: nullable('string'),
    lag: count,
  }),
  TopicReport: object(
    {
      topic: text,
      kind: { enum: ['log', 'state'] },
      keys: count,
      position: text,
      lastAt: time,
      state: { enum: ['open', 'finished'] },
      reason: { enum: ['end', null] },
      subscribers: count,
      lag: count,
      events: count,
      bytes: count,
      uptimeMs: nullable('integer'),
    },
    ['keys'],
  ),
  Stats: object({
    uptimeMs: count,
    connections: object({ total: count, active: count, byState: counts, endedBy: counts }),
    polls: object({ answered: count, events: count }),
    events: object({ published: count, delivered: count }),
    bytes: object({ published: count, sent: count }),
    errors: object({ publishFailures: count, gaps: count, slow: count, refused: count }),
    memory: object({ rssBytes: count, heapUsedBytes: count, hotWindowBytes: count }),
    lagMs: count,
    log: object({ isFollowing: { type: 'boolean' }, hotWindowEvents: count, pendingReads: count }),
  }),
}
