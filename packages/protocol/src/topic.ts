import { ProtocolError } from './protocol-error.ts'
import { quote } from './quote.ts'

declare const topicBrand: unique symbol
declare const selectorBrand: unique symbol
/** A valid topic name, such as `stocks.AAPL`, or `@alice`: user alice's own. */
export type Topic = string & { readonly [topicBrand]: true }
/** A topic, or a pattern: `stocks.*` (one segment), `stocks.>` (one or more), `>` (all but users' own). */
export type Selector = string & { readonly [selectorBrand]: true }

export const MAX_TOPIC_BYTES = 256
export const MAX_TOPIC_SEGMENTS = 16

const utf8Encoder = new TextEncoder()

/** Topic names that a native `EventSource` would take for its own events. */
const RESERVED = new Set(['open', 'error'])
export const RESERVED_PREFIX = 'stream:'

/** Checks a topic. @throws ProtocolError `invalid_topic`, saying what is wrong with it. */
export function parseTopic(text: string): Topic {
  const fault = faultOf(text, false)
  if (fault) throw new ProtocolError('invalid_topic', describe('topic', text, fault))
  return text as Topic
}

/** Checks a topic or a pattern. @throws ProtocolError `invalid_selector`, saying what is wrong with it. */
export function parseSelector(text: string): Selector {
  const fault = faultOf(text, true)
  if (fault) throw new ProtocolError('invalid_selector', describe('topic or pattern', text, fault))
  return text as Selector
}

/**
 * The topic of a user: `@` and the percent-encoded id, as `encodeURIComponent` has it, with the characters besides that a
 * topic gives a meaning: `.`, `*`.
 *
 * @throws ProtocolError `invalid_topic` for an id that is empty, too long or no valid Unicode
 */
export function userTopic(user: string): Topic & Selector {
  if (!user.isWellFormed())
    throw new ProtocolError('invalid_topic', describe('user id', user, 'it has a lone surrogate'))
  return parseSelector(parseTopic(ownTopicOf(user))) as Topic & Selector
}

function ownTopicOf(user: string): string {
  return `@${encodeURIComponent(user).replaceAll('.', '%2E').replaceAll('*', '%2A')}`
}

/** True for a selector that stands for more than one topic. */
export function isPattern(selector: Selector): boolean {
  // Wildcards stand nowhere else in a valid selector.
  return selector.includes('*') || selector.includes('>')
}

/** Whether the selector names the topic. No wildcard matches a topic that starts with `@`. */
export function matchesSelector(selector: Selector, topic: Topic): boolean {
  if ((selector as string) === topic) return true
  if (topic.startsWith('@') || !isPattern(selector)) return false
  const wanted = selector.split('.')
  const segments = topic.split('.')
  for (const [i, want] of wanted.entries()) {
    if (want === '>') return segments.length > i
    if (i >= segments.length || (want !== '*' && want !== segments[i])) return false
  }
  return wanted.length === segments.length
}

function describe(what: string, text: string, fault: string): string {
  return `${quote(text)} is not a ${what}: ${fault}.`
}

/** What is wrong with a name, or undefined. */
function faultOf(text: string, wildcards: boolean): string | undefined {
  if (typeof text !== 'string') return 'it is not a string'
  if (text === '') return 'it is empty'
  if (hasMoreBytes(text, MAX_TOPIC_BYTES)) return `it has more than ${MAX_TOPIC_BYTES} bytes of UTF-8`
  if (!text.isWellFormed()) return 'it is not valid Unicode (a lone surrogate)'
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f-\u009f,]/.test(text)) return 'spaces, commas and control characters are not allowed'
  if (text.startsWith(RESERVED_PREFIX)) return `the prefix ${RESERVED_PREFIX} belongs to the stream itself`
  if (RESERVED.has(text)) return 'a native EventSource fires an event of its own under this name'
  const segments = text.split('.')
  if (segments.length > MAX_TOPIC_SEGMENTS) return `it has more than ${MAX_TOPIC_SEGMENTS} segments`
  if (text.startsWith('@'))
    return segments.length > 1 || text === '@' || /[*>]/.test(text)
      ? 'a user topic is @ and one user id'
      : faultOfId(text)
  for (const [i, segment] of segments.entries()) {
    if (segment === '') return 'it has an empty segment'
    if (!/[*>]/.test(segment)) continue
    if (!wildcards) return 'wildcards (* and >) are for subscribing only'
    if (segment.length > 1) return 'a wildcard is a whole segment'
    if (segment === '>' && i !== segments.length - 1) return '> may only be the last segment'
  }
  return undefined
}

/** One user has one topic: under any other spelling nobody would ever be sent what is published. */
function faultOfId(topic: string): string | undefined {
  let id = topic.slice(1)
  try {
    id = decodeURIComponent(id)
  } catch {
    // It was not encoded.
  }
  const own = ownTopicOf(id)
  return own === topic ? undefined : `the id of a user is percent-encoded in a topic, so write ${own}`
}

/** Counts only where it has to: a UTF-16 unit has one to three bytes. */
function hasMoreBytes(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false
  return text.length > maxBytes || utf8Encoder.encode(text).length > maxBytes
}
