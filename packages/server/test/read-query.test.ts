import { describe, expect, test } from 'vitest'
import { readQuery } from '../src/read-query.ts'

describe('the query of a stream', () => {
  test.each([
    ['topic=gr%C3%BC%C3%9Fe', 'grüße'],
    ['topic=a+b', 'a b'],
    ['topic=%EF%BF%BD', '\ufffd'],
    ['other=%FF&topic=a', 'a'],
    ['last_event_id=%FF&topic=a%3Db=c', 'a=b=c'],
  ])('%s asks for %s', (query, topic) => {
    expect(readQuery(query).get('topic')).toBe(topic)
  })

  test.each(['topic=%FF', 'topic=a&topic=b%', 'topic=%C3', 'topic=%zz', 'type=%E2%82', 'topic=a=%FF'])(
    '%s is refused: it would become another name',
    (query) => {
      expect(() => readQuery(query)).toThrow(
        expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('percent-encoded UTF-8') }),
      )
    },
  )
})
