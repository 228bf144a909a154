const limit = (maximum: number, description: string): object => ({
  description,
  anyOf: [{ type: 'integer', minimum: 1, maximum }, { const: false }],
})

/**
 * What an editor is told of the rules by topic. It only helps to write them: the engine itself judges them, also in
 * `millrace check`.
 */
export const topicRulesJsonSchema: Readonly<Record<string, unknown>> = {
  type: 'array',
  items: {
    type: 'object',
    required: ['match'],
    additionalProperties: false,
    properties: {
      match: {
        type: 'string',
        description: 'A topic or a pattern such as "chat.>"; the first rule that matches holds.',
      },
      kind: { enum: ['log', 'state'], default: 'log', description: 'Facts, or values of which the newest counts.' },
      maxRatePerSecond: {
        type: 'number',
        exclusiveMinimum: 0,
        description: 'For state topics: sent at most so often.',
      },
      retention: {
        type: 'object',
        description: 'What breaks any of the limits is no longer kept.',
        additionalProperties: false,
        properties: {
          maxAgeMs: limit(100 * 365 * 86_400_000, 'Milliseconds. 3600000 when left out; false for no limit.'),
          maxCount: limit(1_000_000_000, 'Events of all its topics. 100000 when left out; false for no limit.'),
          maxBytes: limit(2 ** 40, 'Bytes of all its topics. 268435456 when left out; false for no limit.'),
        },
      },
    },
  },
}
