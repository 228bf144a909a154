import { textPayload, type Payload } from '@millrace/server'

export const hello: Payload = textPayload('data: hello\n\n')
/** For after the end. */
export const late: Payload = textPayload('data: late\n\n')
/** More than the buffers of a loopback connection take from a client that does not read. */
export const BACKLOG_BYTES = 24_000_000

export function block(length: number): Payload {
  return textPayload(`data: ${'x'.repeat(length)}\n\n`)
}

/** Text that does not get much smaller: a linear congruential generator's. */
export function noise(length: number): Payload {
  const bytes = new Uint8Array(length)
  for (let i = 0, state = 1; i < length; i++) {
    state = (state * 48_271) % 0x7fff_ffff
    bytes[i] = state & 0x7f
  }
  return textPayload(new TextDecoder().decode(bytes))
}
