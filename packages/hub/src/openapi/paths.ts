import { count, listOf, object, ref, schemas, text, type Schema } from './schemas.ts'

type Answers = Readonly<Record<string, Schema>>

const problems: Readonly<Record<string, string>> = {
  400: 'Something is wrong with the request; nothing was done.',
  403: 'Not allowed.',
  404: 'There is no such thing.',
  406: '`Accept` takes neither of what this answers with.',
  409: 'A newer revision was there before.',
  413: 'Too large; nothing was stored.',
  415: 'A media type that is not taken.',
  429: 'Too much: come again after Retry-After; one of a minute is of a bound that only an operator can mend.',
  503: 'The event log is away, or the hub is closing; come again after Retry-After.',
}

/** Problems by their statuses, to be spread into the answers of an operation. */
function faults(...statuses: string[]): Answers {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: problems[status],
        content: { 'application/problem+json': { schema: ref('Problem') } },
        ...(status === '429' || status === '503'
          ? { headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } } }
          : {}),
      },
    ]),
  )
}

function json(description: string, schema: Schema): Schema {
  return { description, content: { 'application/json': { schema } } }
}

const finished: Schema = {
  description: 'All that was asked for is finished: a client that gets it does not come again.',
}

const stream: Schema = {
  description:
    'A stream (HTML, 9.2), or one poll: whatever `Accept` asks for. A passing refusal is a stream that says `stream:reconnect` and ends, unless the request carries `Millrace-Client`.',
  headers: {
    'Millrace-Connection': { description: 'Names the stream, in logs and in the administration.', schema: text },
  },
  content: {
    'text/event-stream': { schema: { type: 'string' } },
    'application/json': {
      schema: object(
        {
          events: listOf(ref('PolledEvent')),
          cursor: { $ref: '#/components/schemas/EventId' },
          reset: {
            oneOf: [
              { type: 'null' },
              {
                type: 'object',
                description: 'Events may be missing: fetch the state anew.',
                properties: { reason: text, from: text, oldest: text },
                required: ['reason'],
              },
            ],
          },
          partial: { const: true, description: 'Topics may be missing in this snapshot.' },
        },
        ['partial'],
      ),
    },
  },
}

/** What a stream or a poll can be asked for: in the query, or by the same names in a body. */
const asked: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>> = {
  topic: {
    description:
      'A topic or a pattern: stocks.* (one segment), stocks.> (one or more), > (all). Repeat it, or use commas. Left out: all that is allowed.',
    schema: listOf(text, { maxItems: 100 }),
  },
  type: { description: 'Only events of these types.', schema: listOf(text, { maxItems: 100 }) },
  from: {
    description: 'Where to start without an id.',
    schema: { enum: ['now', 'snapshot', 'earliest'], default: 'now' },
  },
  last_event_id: { description: 'As the header Last-Event-ID, which wins.', schema: text },
  name: { description: 'What the event field carries.', schema: { enum: ['type', 'topic'], default: 'type' } },
  envelope: {
    description: 'data becomes {"id","topic","type","time","data"}.',
    schema: { enum: ['0', '1'], default: '0' },
  },
  client: {
    description: 'A name that the client chooses for itself.',
    schema: { ...text, minLength: 1, maxLength: 128 },
  },
  wait: {
    description: 'Polling: seconds to wait for the first event. A first call without an id answers at once.',
    schema: { type: 'number', minimum: 0, maximum: 60, default: 25 },
  },
  state: {
    description: 'Polling: all current values of state topics, not only those after the id.',
    schema: { const: 'all' },
  },
}

const query = Object.entries(asked).map(([name, parameter]) => ({ name, in: 'query', ...parameter }))

const lastEventId = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id that the client came back with.',
  schema: text,
}

const connection = { name: 'connection', in: 'path', required: true, schema: text }

const paths: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  '/events': {
    get: {
      operationId: 'subscribe',
      summary: 'Opens a stream, or polls',
      parameters: [...query, lastEventId],
      responses: { 200: stream, 204: finished, ...faults('400', '403', '406', '503') },
    },
    post: {
      operationId: 'publish',
      summary: 'Publishes one event, several, or a stream of them',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { oneOf: [ref('Event'), listOf(ref('Event'), { maxItems: 10_000 })] },
          },
          'application/x-ndjson': {
            schema: { type: 'string', description: 'One event a line: at most 10,000 lines or 64 MiB.' },
          },
        },
      },
      responses: {
        200: {
          description:
            'Stored, as durably as the log promises: all of an array, or none. A line is answered by a line, {"id"} or {"error"}; the first failure is the last line: a problem with the number of its `line`, and `retryAfter` in seconds if waiting helps.',
          content: {
            'application/json': { schema: ref('Published') },
            'application/x-ndjson': { schema: { type: 'string' } },
          },
        },
        ...faults('400', '403', '413', '415', '429', '503'),
      },
    },
  },
  '/events/stream': {
    post: {
      operationId: 'subscribeByBody',
      summary: 'Opens the same stream, or polls, by a body: for many topics, and clients that post',
      parameters: [...query, lastEventId],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: object(
              Object.fromEntries(
                Object.entries(asked).map(([name, { description, schema }]) => [name, bodySchema(description, schema)]),
              ),
              Object.keys(asked),
            ),
          },
        },
      },
      responses: { 200: stream, 204: finished, ...faults('400', '403', '406', '413', '415', '503') },
    },
  },
  '/events/{connection}/topics': {
    put: {
      operationId: 'changeTopics',
      summary: 'Replaces the topics of an open stream',
      parameters: [connection],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: object(
              {
                topics: listOf(text, { minItems: 1, maxItems: 100 }),
                revision: { ...count, description: 'Higher than the one before.' },
                secret: {
                  ...text,
                  description: 'What stream:connected gave, unless the request comes from the same user.',
                },
                from: { enum: ['now', 'snapshot'], default: 'now', description: 'The past of topics that are new.' },
              },
              ['secret', 'from'],
            ),
          },
        },
      },
      responses: {
        200: json(
          'The stream has the topics: stream:topics says from where on.',
          object({ topics: listOf(text), revision: count }),
        ),
        ...faults('400', '403', '404', '409', '413', '415'),
      },
    },
  },
  '/health/live': {
    get: {
      operationId: 'live',
      summary: 'The process works',
      responses: { 200: json('It does.', object({ status: text })) },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'ready',
      summary: 'The hub follows its log',
      responses: { 200: json('It does.', object({ status: text })), ...faults('503') },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Metrics in the text format of Prometheus',
      responses: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: text } } } },
    },
  },
  '/admin/stats': {
    get: {
      operationId: 'stats',
      summary: 'How the hub is',
      responses: { 200: json('Counts are since the hub started.', ref('Stats')), ...faults('403') },
    },
  },
  '/admin/topics': {
    get: {
      operationId: 'topics',
      summary: 'The topics that the log knows, the newest first',
      parameters: [
        { name: 'match', in: 'query', description: 'A topic or a pattern.', schema: text },
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 } },
      ],
      responses: {
        200: json(
          '`more`: there are more than `limit`; `partial`: the log had to forget topics.',
          object({ topics: listOf(ref('TopicReport')), more: { type: 'boolean' }, partial: { type: 'boolean' } }),
        ),
        ...faults('400', '403', '503'),
      },
    },
  },
  '/admin/connections': {
    get: {
      operationId: 'connections',
      summary: 'The open streams, the oldest first',
      responses: { 200: json('Each stream.', object({ connections: listOf(ref('Connection')) })), ...faults('403') },
    },
  },
  '/admin/connections/{id}': {
    delete: {
      operationId: 'endConnection',
      summary: 'Ends a stream; its client may come again',
      parameters: [{ ...connection, name: 'id' }],
      responses: { 204: { description: 'It is ended.' }, ...faults('403', '404') },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      responses: { 200: json('OpenAPI 3.1.', { type: 'object' }) },
    },
  },
}

/** In a body a list may also be one text, and a switch may be a boolean. */
function bodySchema(description: string, schema: Schema): Schema {
  if (schema['type'] === 'array') return { description, oneOf: [text, schema] }
  const choices: unknown = schema['enum']
  const isSwitch = Array.isArray(choices) && choices.includes('1')
  return isSwitch ? { description, type: 'boolean', default: false } : { ...schema, description }
}

/** The document that `GET /openapi.json` answers. */
export function openApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      license: { name: 'MIT' },
      description: 'Server-Sent Events: publish by POST, subscribe with any EventSource.',
    },
    paths,
    components: { schemas },
  }
}
