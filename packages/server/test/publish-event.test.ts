import { expect, test } from 'vitest'
import { newEvent, type PublishEvent } from '../src/publish-event.ts'

const MAX_EVENT_BYTES = 1_000
const base = { topic: 'a', data: 'x' }

test('every field is kept as it is given, and what is false or left out is left out', () => {
  const full = { ...base, type: 'tick', key: 'k', dedupeKey: 'd', except: 'me', end: true } as const
  expect(newEvent({ ...full, ephemeral: false }, MAX_EVENT_BYTES)).toEqual({ event: full, ephemeral: false })
  const bare = { type: undefined, key: undefined, dedupeKey: undefined, except: undefined, end: false }
  expect(newEvent({ ...base, ...bare }, MAX_EVENT_BYTES)).toEqual({ event: base, ephemeral: false })
})

test('an ephemeral event is told apart, and is not marked itself', () => {
  expect(newEvent({ ...base, except: 'me', ephemeral: true }, MAX_EVENT_BYTES)).toEqual({
    event: { ...base, except: 'me' },
    ephemeral: true,
  })
})

test('keys may have up to 256 bytes, names of clients up to 128 characters', () => {
  const fields = { key: 'é'.repeat(128), dedupeKey: '😀'.repeat(64), except: 'é'.repeat(128) }
  expect(newEvent({ ...base, ...fields }, MAX_EVENT_BYTES).event).toEqual({ ...base, ...fields })
  expect(newEvent({ ...base, key: '' }, MAX_EVENT_BYTES).event).toEqual({ ...base, key: '' })
})

test.for([
  [{ key: 7 }, 'key is 7; it must be a string of 0 to 256 bytes of UTF-8.'],
  [{ key: 'é'.repeat(129) }, 'has 258 bytes; it must be a string of 0 to 256 bytes'],
  [{ key: '\ud800' }, 'has half of a surrogate pair'],
  [{ dedupeKey: '' }, 'dedupeKey "" has 0 bytes; it must be a string of 1 to 256 bytes'],
  [{ dedupeKey: 'x'.repeat(257) }, 'has 257 bytes; it must be a string of 1 to 256 bytes'],
  [{ dedupeKey: null }, 'dedupeKey is null'],
  [{ dedupeKey: '\udc00x' }, 'has half of a surrogate pair'],
  [{ except: '' }, 'except is ""; it must be the name of a client'],
  [{ except: 'x'.repeat(129) }, 'it must be the name of a client: 1 to 128 characters'],
  [{ except: 'a\u0007' }, 'none of them a control character'],
  [{ except: 5 }, 'except is 5'],
  [{ end: 'true' }, 'end is "true"; it must be true or false.'],
  [{ ephemeral: 1 }, 'ephemeral is 1; it must be true or false.'],
  [{ ephemeral: true, dedupeKey: 'd' }, 'An ephemeral event cannot have a dedupeKey: it has no id to answer with'],
  [{ ephemeral: true, key: 'k' }, 'An ephemeral event cannot have a key: it is not kept'],
  [{ ephemeral: true, end: true }, 'An ephemeral event cannot have end: it is not kept'],
  [{ dedupekey: 'd' }, 'An event has no field "dedupekey". Did you mean "dedupeKey"?'],
  [{ ends: true }, 'An event has no field "ends". Did you mean "end"?'],
] as const)('%j is refused', ([fields, message]) => {
  const check = (): unknown => newEvent({ ...base, ...fields } as unknown as PublishEvent, MAX_EVENT_BYTES)
  expect(check).toThrow(expect.objectContaining({ code: 'invalid_event' }))
  expect(check).toThrow(message)
})

test.for(['key', 'dedupeKey', 'except'] as const)('%s counts towards the size of an event', (name) => {
  const event = { ...base, [name]: 'é'.repeat(10) }
  expect(newEvent(event, 22).event).toEqual(event)
  expect(() => newEvent(event, 21)).toThrow('The event has 22 bytes, more than maxEventBytes (21).')
})
