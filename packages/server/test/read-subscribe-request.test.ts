import { parseSelector } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { readSubscribeRequest } from '../src/read-subscribe-request.ts'

const options = { defaultSelectors: [parseSelector('>')], maxTopicsPerStream: 3 }
const read = (query: string, header?: string): ReturnType<typeof readSubscribeRequest> =>
  readSubscribeRequest(new URLSearchParams(query), header, options)

test('without parameters a stream gets all that is granted, from now on', () => {
  expect(read('')).toEqual({
    selectors: ['>'],
    types: [],
    from: 'now',
    lastEventId: undefined,
    nameBy: 'type',
    envelope: false,
  })
})

test('topics are repeated or separated by commas, and asked for once', () => {
  expect(read('topic=a,b.*&topic=a').selectors).toEqual(['a', 'b.*'])
})

test('the header wins over last_event_id, and an empty header is none', () => {
  expect(read('last_event_id=q', 'h').lastEventId).toBe('h')
  expect(read('last_event_id=q', '').lastEventId).toBe('q')
  expect(read('last_event_id=').lastEventId).toBeUndefined()
})

test('looks, types and unknown parameters are read', () => {
  expect(read('name=topic&envelope=1&type=x&type=y&type=x&from=earliest&utm=1')).toMatchObject({
    nameBy: 'topic',
    envelope: true,
    types: ['x', 'y'],
    from: 'earliest',
  })
})

test.each([
  ['topic=', 'it is empty'],
  ['topic=a,,b', 'it is empty'],
  ['topic=a,b,c,d', '4 topics are asked for; one stream may have 3'],
  ['topic=a*', 'a wildcard is a whole segment'],
  ['topic=@', 'a user topic is @ and one user id'],
  ['client=', '"client" is ""; it must be 1 to 128 characters'],
  ['client=a%0Ab', 'none of them a control character'],
  ['from=yesterday', '"from" is "yesterday"'],
  ['envelope=yes', '"envelope" is "yes"'],
  ['name=x', 'use "type" or "topic"'],
  ['type=', 'A "type" is empty'],
  ['ticket=x', '"ticket" is not built yet'],
])('%s is refused: %s', (query, detail) => {
  expect(() => read(query)).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(detail) }),
  )
})
