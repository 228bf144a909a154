import type { Answer } from './script.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { equal } from './world.ts'

/** A stream and the events that it makes. */
function stream(
  name: string,
  wpt: readonly string[],
  body: NonNullable<Answer['body']>,
  texts: readonly string[],
  types: readonly string[] = [],
): ConformanceCase {
  return {
    name,
    wpt,
    async run(world) {
      // A last event shows that the stream was read to there.
      const parts = [...(typeof body === 'string' ? [body] : body), '\n\ndata: the end\n\n']
      const heard = world.open([{ body: parts }], {}, types)
      await heard.until('the end', (each) => each.texts.at(-1) === 'the end')
      equal(heard.texts, [...texts, 'the end'], 'events')
    },
  }
}

const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)]

/** The format of the stream, as it arrives through HTTP. The vectors of `@millrace/protocol` go further into it. */
export const formatCases: readonly ConformanceCase[] = [
  stream('one BOM at the start is taken off', ['format-bom.js'], '\ufeffdata: 1\n\n\ufeffdata: 2\n\ndata: 3\n\n', [
    '1',
    '3',
  ]),
  stream(
    'of two BOMs the second belongs to the field name',
    ['format-bom-2.any.js'],
    '\ufeff\ufeffdata: 1\n\ndata: 2\n\n',
    ['2'],
  ),
  stream('a BOM may come in pieces', [], [[0xef], 20, [0xbb], 20, [0xbf], 20, 'data: 1\n\n'], ['1']),
  stream(
    'comments are ignored',
    ['format-comments.js'],
    `: hi\ndata: a\n:\n:data: b\ndata: c\n: ${'long '.repeat(1000)}\r:\0\n\n`,
    ['a\nc'],
  ),
  stream(
    'data without a colon, and an empty one, make lines',
    ['format-field-data.js'],
    'data: one\ndata\ndata:\n\ndata\n\ndata:\n\n',
    ['one\n\n', '', ''],
  ),
  stream(
    'names are compared exactly',
    ['format-field-parsing', 'format-field-unknown'],
    'DATA: a\ndata : b\n data: c\ndat: d\ndatas: e\nda\0ta: f\ndata\0: g\ndata: yes\n\xadata: h\r\n\n',
    ['yes'],
  ),
  stream(
    'one space after the colon is taken off, no more, and no tab',
    ['format-leading-space'],
    'data:\tone\ndata:  two\ndata: \n\n',
    ['\tone\n two\n'],
  ),
  stream(
    'lines end by LF, CR and CRLF, in any mix',
    ['format-newlines'],
    'data: a\rdata: b\r\ndata: c\n\r\ndata: 2\r\rdata: 3\n\n',
    ['a\nb\nc', '2', '3'],
  ),
  stream('a CRLF that is cut is one line end', [], ['data: 1\r', 30, '\ndata: 2\r', 30, '\n\r', 30, '\n'], ['1\n2']),
  stream('no other character ends a line', [], 'data: a\u000bb\u000cc\u0085d\u2028e\u2029f\n\n', [
    'a\u000bb\u000cc\u0085d\u2028e\u2029f',
  ]),
  {
    nativeFault: { firefox: 'drops NUL' },
    ...stream('NUL in data is data', ['format-null-character.html'], 'data: \0\n\ndata: a\0b\n\n', ['\0', 'a\0b']),
  },
  stream(
    'the stream is UTF-8, whatever is malformed in it',
    ['format-utf-8.any.js'],
    ['data: ok…\n\ndata: ', [0xe2, 0x80], 'x', [0xff], '\n\n'],
    ['ok…', '\ufffdx\ufffd'],
  ),
  stream('a character may come in pieces', [], ['data: ', [0xf0, 0x9f], 30, [0x98], 30, [0x80], '\n\n'], ['😀']),
  stream('the charset of the type is not regarded', ['format-mime-valid-bogus.htm'], 'data: ok…\n\n', ['ok…']),
  stream(
    'an event without data is none, and resets the type',
    ['format-field-event.htm'],
    'event: test\n\ndata: x\n\nevent:test\ndata:x\n\n',
    ['x', 'test:x'],
    ['test'],
  ),
  stream(
    'an empty type is `message`',
    ['format-field-event-empty.htm'],
    'event: \ndata: 1\n\nevent: test\nevent\ndata: 2\n\n',
    ['1', '2'],
    ['test'],
  ),
  stream(
    'the last type of a block counts, and order is kept over types',
    ['submissions/MOSQUITO/field-name-event.html'],
    'event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent: a\ndata: 3\n\n',
    ['b:1', '2', 'a:3'],
    ['a', 'b'],
  ),
  stream(
    'types `open` and `error` from the server are events like others',
    [],
    'event: open\ndata: 1\n\nevent: error\ndata: 2\n\n',
    ['open:1', 'error:2'],
  ),
  stream(
    'types that every object has are events like others',
    [],
    'event: constructor\ndata: 1\n\nevent: __proto__\ndata: 2\n\n',
    ['constructor:1', '__proto__:2'],
    ['constructor', '__proto__'],
  ),
  stream(
    'bytes may come one by one',
    [],
    utf8('id: 1\ndata: é\n\n').flatMap((byte) => [[byte], 2]),
    ['é'],
  ),
  stream(
    'an event is dispatched before its line end is known to be a CRLF',
    [],
    ['data: 1\r\r', 60, '\ndata: 2\n\n'],
    ['1', '2'],
  ),
  {
    name: 'the id of an event is kept for those after it, until another comes or an empty one clears it',
    wpt: ['format-field-id-2.any.js', 'format-field-id-3.htm'],
    async run(world) {
      const body = 'id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\nid\ndata: d\n\ndata: e\n\n'
      const heard = world.open([{ body }])
      await heard.messages(5)
      equal(
        heard.notes.flatMap(({ id }) => id ?? []),
        ['1', '1', '2', '', ''],
      )
    },
  },
  {
    name: 'an id with NUL is ignored',
    wpt: ['format-field-id-null.htm'],
    nativeFault: { firefox: 'drops NUL' },
    async run(world) {
      const heard = world.open([{ body: 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\ndata: c\n\n' }])
      await heard.messages(3)
      equal(
        heard.notes.flatMap(({ id }) => id ?? []),
        ['1', '1', '1'],
      )
    },
  },
  {
    name: 'what is unfinished when the stream ends is dropped, its id too',
    wpt: ['format-data-before-final-empty-line.js'],
    async run(world) {
      const heard = world.open([
        { body: 'retry: 500\nid: 1\ndata: whole\n\nid: 2\ndata: half', end: 'end' },
        { body: 'data: next\n\n' },
      ])
      equal(await heard.messages(2), ['whole', 'next'])
      equal((await heard.seen())[1]?.headers['last-event-id'], '1')
      equal(heard.notes.at(-1)?.id, '1')
    },
  },
]
